-- grain: min_group users or more who went from one segment to one by one cause, since the run before
-- scheme: value, taste or a scheme of your own
-- from_segment: segment_id in the run before; null for new users
-- from_name: its name there; new for users who were in none
-- to_segment: segment_id in the published run; null for users who are gone
-- to_name: its name here; gone for users who are in none
-- cause: same, behaviour (they changed), refit (the model did), new or gone
-- users: how many
-- revenue_30d: what they paid in the 30 days before as_of; null where fewer than min_group did, but not none
SELECT
    scheme,
    from_segment,
    CASE WHEN from_segment IS NULL THEN 'new' ELSE COALESCE(from_name, 'not known') END AS from_name,
    to_segment,
    CASE WHEN to_segment IS NULL THEN 'gone' ELSE COALESCE(to_name, 'not known') END AS to_name,
    cause,
    users,
    CASE WHEN buyers_30d = 0 OR buyers_30d >= min_group THEN revenue_30d END AS revenue_30d
FROM published.segment_moves
WHERE users >= min_group
