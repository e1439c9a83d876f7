-- How many users were in one segment in every run, and how many in several?
WITH told AS (
    SELECT scheme, user_key, COUNT(DISTINCT segment_id) AS segments
    FROM fact_membership
    GROUP BY scheme, user_key
)
SELECT scheme, segments, COUNT(*) AS users
FROM told
GROUP BY scheme, segments
HAVING COUNT(*) >= 10
ORDER BY scheme, segments
