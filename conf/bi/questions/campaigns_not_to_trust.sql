-- Which campaigns did not run as planned, so that their effects mislead?
SELECT campaign_id, check_name, value, bound, note
FROM campaign_quality
WHERE NOT passed
ORDER BY campaign_id, check_name
