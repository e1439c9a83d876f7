-- Of campaigns that nobody drew at random: how unlike were the contacted and the others, and how alike did weights make them?
SELECT
    campaign_id,
    COUNT(*) AS covariates,
    MAX(ABS(smd_before)) AS furthest_apart_before,
    MAX(ABS(smd_after)) AS furthest_apart_after,
    SUM(CASE WHEN ABS(smd_after) > 0.1 THEN 1 ELSE 0 END) AS still_apart
FROM covariate_balance
GROUP BY campaign_id
ORDER BY campaign_id
