-- How many buyers come back, one month after another?
SELECT months_since, SUM(buyers) AS buyers, SUM(cohort_users) AS of_users, SUM(buyers) / SUM(cohort_users) AS retention
FROM cohort_retention
GROUP BY months_since
ORDER BY months_since
