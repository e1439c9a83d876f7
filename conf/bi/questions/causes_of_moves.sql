-- Do users move because they changed, or because the model did?
SELECT scheme, cause, SUM(users) AS users
FROM segment_migration
WHERE cause <> 'same'
GROUP BY scheme, cause
ORDER BY scheme, users DESC, cause
