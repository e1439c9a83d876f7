-- Which best-selling items run out before the campaign ends?
SELECT
    demand.item_id,
    demand.category,
    MIN(demand.week) AS first_short_week,
    MAX(demand.stock) AS stock,
    MAX(demand.stock_cover_days) AS stock_cover_days
FROM demand_forecast AS demand
JOIN campaign_overview AS campaign ON campaign.scheme = demand.scheme
WHERE demand.item_id IS NOT NULL AND demand.is_short AND demand.week <= campaign.ends_on
GROUP BY demand.item_id, demand.category
ORDER BY stock_cover_days, demand.item_id
