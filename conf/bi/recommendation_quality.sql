-- grain: one metric of one method, by min_group users or more
-- method: als or another method, or a difference user by user as als-popularity
-- metric: ndcg_at_k, recall_at_k, … as in docs/architecture.md
-- k: length of the lists that were judged; 0 where there is no list
-- value: over the users judged
-- low: lower end of the 95 % interval over users
-- high: upper end of it
-- popularity_value: the same of the most popular items
-- users: users judged
SELECT method, metric, k, value, low, high, popularity_value, users
FROM published.recommendation_metrics
WHERE users >= min_group
