-- grain: the min_group buyers or more who are in one fifth by recency and one by frequency
-- recency_score: 5 for the fifth who ordered last, 1 for who ordered longest ago
-- frequency_score: 5 for the fifth with the most orders
-- users: buyers
-- orders: their orders
-- revenue: what they ever paid after discount
-- revenue_per_user: revenue by users
-- mean_monetary_score: mean of the fifths by money, 5 the most
SELECT
    recency_score,
    frequency_score,
    COUNT(*) AS users,
    SUM(orders) AS orders,
    SUM(revenue) AS revenue,
    SUM(revenue) / COUNT(*) AS revenue_per_user,
    AVG(monetary_score) AS mean_monetary_score
FROM published.user_facts
WHERE recency_score IS NOT NULL
GROUP BY recency_score, frequency_score
HAVING COUNT(*) >= min_group
