-- grain: one segment of the published run with min_group users or more
-- scheme: value, taste or a scheme of your own
-- segment_id: number in the scheme, the same from run to run
-- segment_name: as the segment was named
-- title: the name as people write it
-- users: users in it
-- share_of_users: of the users in the segments shown of the scheme
-- buyers: users who ever ordered; null where they are fewer than min_group, but not none
-- orders: their orders; null as buyers
-- revenue: what they ever paid after discount; null as buyers
-- share_of_revenue: of the revenue that is shown of the scheme
-- revenue_per_user: revenue by users, in the shop's currency
-- average_order_value: revenue by orders, in the shop's currency
-- revenue_30d: paid in the 30 days before as_of; null where fewer than min_group paid, but not none
-- strategy: what marketing does with the segment
-- why: the numbers that earned the name
WITH shown AS (
    SELECT
        facts.scheme,
        facts.segment_id,
        facts.users,
        CASE WHEN facts.buyers = 0 OR facts.buyers >= min_group THEN facts.buyers END AS buyers,
        CASE WHEN facts.buyers = 0 OR facts.buyers >= min_group THEN facts.orders END AS orders,
        CASE WHEN facts.buyers = 0 OR facts.buyers >= min_group THEN facts.revenue END AS revenue,
        CASE WHEN facts.buyers_30d = 0 OR facts.buyers_30d >= min_group THEN facts.revenue_30d END AS revenue_30d
    FROM published.segment_facts AS facts
    WHERE facts.users >= min_group
)
SELECT
    shown.scheme,
    shown.segment_id,
    segments.name AS segment_name,
    segments.title,
    shown.users,
    shown.users / SUM(shown.users) OVER (PARTITION BY shown.scheme) AS share_of_users,
    shown.buyers,
    shown.orders,
    shown.revenue,
    shown.revenue / NULLIF(SUM(shown.revenue) OVER (PARTITION BY shown.scheme), 0) AS share_of_revenue,
    shown.revenue / shown.users AS revenue_per_user,
    shown.revenue / NULLIF(shown.orders, 0) AS average_order_value,
    shown.revenue_30d,
    segments.strategy,
    segments.why
FROM shown
JOIN published.segments AS segments ON segments.scheme = shown.scheme AND segments.segment_id = shown.segment_id
