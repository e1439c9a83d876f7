-- user_features as DuckDB computes them from the log tables' files. $as_of is a date.
WITH
events AS (
    SELECT user_id, item_id, event_type, day, epoch_us(event_time) AS t
    FROM read_parquet(getvariable('events'))
    WHERE user_id IS NOT NULL AND day < getvariable('as_of')),
orders AS (
    SELECT user_id, item_id, order_id, day, status = 'paid' AS paid, quantity, discount,
        quantity * coalesce(unit_price, 0) - coalesce(discount, 0) AS net
    FROM read_parquet(getvariable('orders'))
    WHERE user_id IS NOT NULL AND day < getvariable('as_of')),
ratings AS (
    SELECT user_id, day, rating
    FROM read_parquet(getvariable('ratings'))
    WHERE user_id IS NOT NULL AND day < getvariable('as_of')),
items AS (
    SELECT item_id, category, launch_time::DATE AS launch_day FROM read_parquet(getvariable('items'))
    WHERE launch_time IS NULL OR launch_time::DATE < getvariable('as_of')),
profiles AS (
    SELECT user_id, age, gender, income, education, region, signup_time::DATE AS signup_day
    FROM read_parquet(getvariable('users'))
    WHERE signup_time IS NULL OR signup_time::DATE < getvariable('as_of')),

event_days AS (
    SELECT user_id, day, count(*) AS events,
        count(*) FILTER (event_type = 'impression') AS impressions, count(*) FILTER (event_type = 'view') AS views,
        count(*) FILTER (event_type = 'click') AS clicks, count(*) FILTER (event_type = 'search') AS searches,
        count(*) FILTER (event_type = 'add_to_cart') AS carts, count(*) FILTER (event_type = 'wishlist') AS wishlists,
        count(*) FILTER (event_type = 'purchase') AS purchases,
        count(*) FILTER (t % 86400000000 >= 79200000000 OR t % 86400000000 < 21600000000) AS night_events
    FROM events GROUP BY ALL),
begun AS (
    SELECT user_id, t, day, event_type = 'purchase' AS bought,
        coalesce(t - lag(t) OVER (PARTITION BY user_id ORDER BY t) > 1800000000, true) AS is_first
    FROM events),
numbered AS (
    SELECT *, sum(is_first::INT) OVER (PARTITION BY user_id ORDER BY t ROWS UNBOUNDED PRECEDING) AS visit FROM begun),
sessions AS (
    SELECT user_id, min(day) AS day, (max(t) - min(t)) // 1000000 AS seconds, count(*) AS events,
        count(*) = 1 AND NOT bool_or(bought) AS bounced
    FROM numbered GROUP BY user_id, visit),
session_days AS (
    SELECT user_id, day, count(*) AS sessions, sum(seconds) AS session_seconds, sum(events) AS session_events,
        count(*) FILTER (bounced) AS bounces
    FROM sessions GROUP BY ALL),
order_days AS (
    SELECT user_id, day, count(DISTINCT order_id) FILTER (paid) AS orders, count(*) FILTER (paid) AS order_lines,
        count(*) FILTER (NOT paid) AS refunds, sum(quantity) FILTER (paid) AS units, sum(net) FILTER (paid) AS spend,
        sum(discount) FILTER (paid) AS discount
    FROM orders GROUP BY ALL),
rating_days AS (SELECT user_id, day, count(rating) AS ratings, sum(rating) AS rating_sum FROM ratings GROUP BY ALL),
days AS (
    SELECT * FROM event_days FULL JOIN session_days USING (user_id, day) FULL JOIN order_days USING (user_id, day)
    FULL JOIN rating_days USING (user_id, day)),
activity AS (
    SELECT user_id, min(day) AS first_day, count(*) AS active_days, coalesce(max(events), 0) > {bot_events_per_day} AS is_bot,
        max(day) FILTER (orders > 0) AS last_order_day, max(day) FILTER (events > 0) AS last_visit_day,
        {sums},
        sum(events) FILTER (dayofweek(day) IN (0, 6)) AS weekend_events,
        sum(discount) AS discount,
        {windows}
    FROM days GROUP BY user_id),
gaps AS (
    SELECT user_id, avg(gap) AS inter_purchase_days_mean, stddev_samp(gap) AS inter_purchase_days_std
    FROM (
        SELECT user_id, day - lag(day) OVER (PARTITION BY user_id ORDER BY day) AS gap FROM order_days WHERE orders > 0)
    GROUP BY user_id),

item_days AS (
    SELECT user_id, item_id, day, sum(touch) AS touches, sum(line) AS lines, sum(units) AS units, sum(spend) AS spend
    FROM (
        SELECT user_id, item_id, day, 1 AS touch, 0 AS line, 0.0 AS units, 0.0 AS spend FROM events
        WHERE item_id IS NOT NULL AND event_type IN ('view', 'click', 'add_to_cart', 'wishlist', 'purchase')
        UNION ALL
        SELECT user_id, item_id, day, 0, 1, quantity, net FROM orders WHERE paid AND item_id IS NOT NULL)
    GROUP BY ALL),
sold AS (
    SELECT item_id, min(day) FILTER (lines > 0) AS first_sale, sum(units) AS units, sum(spend) AS spend
    FROM item_days GROUP BY item_id),
described AS (
    SELECT item_id, category, coalesce(launch_day, first_sale) AS launch_day, units, spend
    FROM sold FULL JOIN items USING (item_id)),
category_prices AS (
    SELECT category, sum(spend) / nullif(sum(units), 0) AS category_price FROM described GROUP BY category),
priced AS (
    SELECT i.*, category, category_price, day - launch_day <= 60 AS is_new,
        i.spend / nullif(i.units * category_price, 0) AS level
    FROM item_days i LEFT JOIN described d USING (item_id) LEFT JOIN category_prices USING (category)),
pairs AS (
    SELECT user_id, item_id, any_value(category) AS category, count(*) FILTER (lines > 0) AS days_bought,
        sum(lines) AS lines, sum(lines) FILTER (is_new) AS new_lines, sum(touches) AS touches,
        sum(spend) FILTER (level IS NOT NULL) AS priced_spend, sum(spend * level) AS levelled_spend
    FROM priced GROUP BY user_id, item_id),
by_category AS (
    SELECT user_id, category, count(*) AS items, count(*) FILTER (days_bought > 0) AS bought_items,
        count(*) FILTER (days_bought > 1) AS repeated_items, sum(lines) AS lines, coalesce(sum(new_lines), 0) AS new_lines,
        sum(touches) AS touches, sum(priced_spend) AS priced_spend, sum(levelled_spend) AS levelled_spend
    FROM pairs GROUP BY ALL),
weighed AS (
    SELECT *, CASE WHEN sum(lines) OVER (PARTITION BY user_id) > 0 THEN lines ELSE touches END AS weight FROM by_category),
taste AS (
    SELECT user_id, sum(items) AS distinct_items, nullif(count(category), 0) AS distinct_categories,
        ln(sum(weight)) - sum(weight * ln(greatest(weight, 1))) / sum(weight) AS category_entropy,
        sum(repeated_items) / nullif(sum(bought_items), 0) AS repeat_item_share,
        sum(new_lines) / nullif(sum(lines), 0) AS new_product_share,
        sum(levelled_spend) / nullif(sum(priced_spend), 0) AS price_level,
        arg_min(category, (-weight, category)) AS favourite_category
    FROM weighed GROUP BY user_id)

SELECT user_id, coalesce(is_bot, false) AS is_bot, gender, education, region, favourite_category,
    getvariable('as_of') - last_order_day AS recency_days, coalesce(orders, 0) AS frequency, coalesce(spend, 0) AS monetary,
    coalesce(units, 0) AS units, spend / nullif(orders, 0) AS aov, units / nullif(orders, 0) AS items_per_order,
    inter_purchase_days_mean, inter_purchase_days_std, discount / nullif(spend + discount, 0) AS discount_share,
    refunds / nullif(refunds + order_lines, 0) AS refund_share,
    getvariable('as_of') - last_visit_day AS recency_visit_days,
    coalesce(events, 0) AS events, coalesce(sessions, 0) AS sessions, coalesce(views, 0) AS views,
    coalesce(carts, 0) AS carts, coalesce(searches, 0) AS searches, coalesce(wishlists, 0) AS wishlists,
    coalesce(purchases, 0) AS purchases, session_events / nullif(sessions, 0) AS events_per_session,
    session_seconds / nullif(sessions * 60, 0) AS session_minutes, bounces / nullif(sessions, 0) AS bounce_share,
    clicks / nullif(impressions, 0) AS click_rate, carts / nullif(views, 0) AS view_to_cart_rate,
    orders / nullif(carts, 0) AS cart_to_order_rate, night_events / nullif(events, 0) AS night_share,
    coalesce(weekend_events, 0) / nullif(events, 0) AS weekend_share, coalesce(active_days, 0) AS active_days,
    coalesce(distinct_items, 0) AS distinct_items, distinct_categories, category_entropy, repeat_item_share,
    new_product_share, price_level, coalesce(ratings, 0) AS rating_count, rating_sum / nullif(ratings, 0) AS rating_mean,
    {windows_or_zero},
    age, income, getvariable('as_of') - least(signup_day, first_day) AS tenure_days
FROM activity LEFT JOIN gaps USING (user_id) LEFT JOIN taste USING (user_id) FULL JOIN profiles USING (user_id)
