-- Are recommendations better than the most popular items?
SELECT method, k, value AS ndcg, low, high, popularity_value, value / NULLIF(popularity_value, 0) AS times
FROM recommendation_quality
WHERE metric = 'ndcg_at_k' AND popularity_value IS NOT NULL
ORDER BY value DESC, method
