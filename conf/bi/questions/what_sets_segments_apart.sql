-- What sets each segment apart from all users?
WITH ranked AS (
    SELECT
        scheme,
        segment_name,
        feature,
        mean,
        overall_mean,
        lift,
        ROW_NUMBER() OVER (PARTITION BY scheme, segment_id ORDER BY lift DESC, feature) AS place
    FROM segment_profile
    WHERE lift > 1
)
SELECT scheme, segment_name, feature, mean, overall_mean, lift
FROM ranked
WHERE place <= 3
ORDER BY scheme, segment_name, lift DESC, feature
