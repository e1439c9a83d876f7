-- Which months brought buyers who stay?
SELECT cohort_month, cohort_users, buyers AS bought_next_month, retention
FROM cohort_retention
WHERE months_since = 1
ORDER BY retention DESC, cohort_month
