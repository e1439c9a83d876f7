-- In which segments do new users land?
SELECT scheme, to_name AS segment_name, users, users / SUM(users) OVER (PARTITION BY scheme) AS share
FROM segment_migration
WHERE cause = 'new'
ORDER BY scheme, users DESC, segment_name
