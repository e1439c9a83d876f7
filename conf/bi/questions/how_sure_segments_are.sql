-- How sure is it who belongs to which segment?
SELECT scheme, segment_name, COUNT(*) AS users, AVG(confidence) AS mean_confidence
FROM fact_membership
WHERE is_current
GROUP BY scheme, segment_name
HAVING COUNT(*) >= 10
ORDER BY mean_confidence, scheme, segment_name
