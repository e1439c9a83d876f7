-- Which items are recommended most in each segment?
WITH counted AS (
    SELECT users.value_segment AS segment_name, lists.item_id, lists.category, COUNT(*) AS users
    FROM top_recommendations AS lists
    JOIN dim_user AS users ON users.user_key = lists.user_key
    WHERE users.value_segment IS NOT NULL
    GROUP BY users.value_segment, lists.item_id, lists.category
    HAVING COUNT(*) >= 10
),
ranked AS (
    SELECT
        segment_name,
        item_id,
        category,
        users,
        ROW_NUMBER() OVER (PARTITION BY segment_name ORDER BY users DESC, item_id) AS place
    FROM counted
)
SELECT segment_name, item_id, category, users
FROM ranked
WHERE place <= 5
ORDER BY segment_name, users DESC, item_id
