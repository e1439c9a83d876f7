-- Which categories run out before the campaign ends?
SELECT
    demand.category,
    MIN(demand.week) AS first_short_week,
    MAX(demand.stock) AS stock,
    MAX(demand.stock_cover_days) AS stock_cover_days,
    SUM(demand.expected_units) AS expected_units_shown,
    SUM(demand.campaign_units) AS campaign_units_shown
FROM demand_forecast AS demand
JOIN campaign_overview AS campaign ON campaign.scheme = demand.scheme
WHERE demand.item_id IS NULL AND demand.is_short AND demand.week <= campaign.ends_on
GROUP BY demand.category
ORDER BY stock_cover_days, demand.category
