-- How many good customers have not ordered lately, and what are they worth?
SELECT SUM(users) AS users, SUM(revenue) AS revenue, SUM(revenue) / SUM(users) AS revenue_per_user
FROM rfm_grid
WHERE frequency_score >= 4 AND recency_score <= 2
