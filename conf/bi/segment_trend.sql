-- grain: one segment with min_group users or more, in each run that was ever published and is still there
-- run_id: the run that computed the row
-- as_of: nothing on or after this day counted
-- is_current: whether the run is what is published now
-- scheme: value, taste or a scheme of your own
-- segment_id: number in the scheme, the same from run to run
-- segment_name: as the segment was named
-- users: users in it
-- share_of_users: of the users in the segments shown of the scheme and run
-- buyers_30d: users who paid in the 30 days before as_of; null where fewer than min_group did, but not none
-- revenue_30d: what they paid in these days; null as buyers_30d
SELECT
    facts.run_id,
    runs.as_of,
    runs.is_current,
    facts.scheme,
    facts.segment_id,
    segments.name AS segment_name,
    facts.users,
    facts.users / SUM(facts.users) OVER (PARTITION BY facts.run_id, facts.scheme) AS share_of_users,
    CASE WHEN facts.buyers_30d = 0 OR facts.buyers_30d >= min_group THEN facts.buyers_30d END AS buyers_30d,
    CASE WHEN facts.buyers_30d = 0 OR facts.buyers_30d >= min_group THEN facts.revenue_30d END AS revenue_30d
FROM history.segment_facts AS facts
JOIN published_runs AS runs ON runs.run_id = facts.run_id
JOIN history.segments AS segments
    ON segments.run_id = facts.run_id AND segments.scheme = facts.scheme AND segments.segment_id = facts.segment_id
WHERE facts.users >= min_group
