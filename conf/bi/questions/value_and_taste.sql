-- What do the segments by value like?
SELECT value_segment, taste_segment, COUNT(*) AS users
FROM dim_user
WHERE value_segment IS NOT NULL AND taste_segment IS NOT NULL
GROUP BY value_segment, taste_segment
HAVING COUNT(*) >= 10
ORDER BY value_segment, users DESC, taste_segment
