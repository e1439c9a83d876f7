-- grain: one segment in one month, by who is in it now, where min_group users or more were active
-- scheme: value, taste or a scheme of your own
-- segment_id: number in the scheme, the same from run to run
-- segment_name: as the segment was named
-- month: its first day
-- days: its days before as_of: fewer than the month has where it is not over
-- active_users: users with any event, order or rating
-- buyers: users who ordered; null where they are fewer than min_group, but not none
-- orders: their orders; null as buyers
-- revenue: what they paid after discount; null as buyers
-- revenue_per_day: revenue by days, to compare a month that is not over
-- share_of_month: of the revenue that is shown of the scheme and month
WITH shown AS (
    SELECT
        months.scheme,
        months.segment_id,
        months.month,
        months.days,
        months.active_users,
        CASE WHEN months.buyers = 0 OR months.buyers >= min_group THEN months.buyers END AS buyers,
        CASE WHEN months.buyers = 0 OR months.buyers >= min_group THEN months.orders END AS orders,
        CASE WHEN months.buyers = 0 OR months.buyers >= min_group THEN months.revenue END AS revenue
    FROM published.segment_months AS months
    WHERE months.active_users >= min_group
)
SELECT
    shown.scheme,
    shown.segment_id,
    segments.name AS segment_name,
    shown.month,
    shown.days,
    shown.active_users,
    shown.buyers,
    shown.orders,
    shown.revenue,
    shown.revenue / shown.days AS revenue_per_day,
    shown.revenue / NULLIF(SUM(shown.revenue) OVER (PARTITION BY shown.scheme, shown.month), 0) AS share_of_month
FROM shown
JOIN published.segments AS segments ON segments.scheme = shown.scheme AND segments.segment_id = shown.segment_id
