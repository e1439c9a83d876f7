-- Which checks on the data failed?
SELECT source, check_name, value, bound
FROM data_quality
WHERE NOT passed
ORDER BY source, check_name
