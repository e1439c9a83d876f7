-- How much revenue hangs on the buyers who order most often?
SELECT
    frequency_score,
    SUM(users) AS users,
    SUM(revenue) AS revenue,
    SUM(revenue) / SUM(SUM(revenue)) OVER () AS share_of_revenue
FROM rfm_grid
GROUP BY frequency_score
ORDER BY frequency_score DESC
