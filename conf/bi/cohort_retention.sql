-- grain: the buyers of one first month, so many months later, where min_group or more of them ordered
-- cohort_month: the first day of the month of the users' first order
-- months_since: calendar months since; 0 is the first month itself
-- month: the first day of that month; the newest may not be over
-- cohort_users: users of the cohort
-- buyers: those of them who ordered in the month
-- retention: buyers by cohort_users
-- orders: their orders in the month
-- revenue: what they paid in the month
SELECT
    cohort_month,
    months_since,
    month,
    cohort_users,
    buyers,
    buyers / cohort_users AS retention,
    orders,
    revenue
FROM published.cohort_months
WHERE buyers >= min_group
