-- grain: one segment of the published run; one of fewer than min_group users has a name only
-- scheme: value, taste or a scheme of your own
-- segment_id: number in the scheme, the same from run to run
-- segment_name: as the segment was named
-- title: the name as people write it
-- strategy: what marketing does with the segment
-- why: the numbers that earned the name
-- users: users in it
-- share: of all users in the scheme
SELECT
    scheme,
    segment_id,
    name AS segment_name,
    title,
    strategy,
    CASE WHEN size >= min_group THEN why END AS why,
    CASE WHEN size >= min_group THEN size END AS users,
    CASE WHEN size >= min_group THEN share END AS share
FROM published.segments
