-- Which segments grew since the run before, and which shrank?
WITH compared AS (
    SELECT
        scheme,
        segment_id,
        segment_name,
        is_current,
        users,
        LAG(users) OVER (PARTITION BY scheme, segment_id ORDER BY as_of, run_id) AS users_before
    FROM segment_trend
)
SELECT scheme, segment_name, users_before, users, users - users_before AS change
FROM compared
WHERE is_current AND users_before IS NOT NULL
ORDER BY change DESC, scheme, segment_name
