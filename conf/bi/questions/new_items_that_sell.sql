-- Which items of the last 90 days sell?
SELECT items.item_id, items.category, items.launch_day, items.buyers, items.revenue
FROM dim_item AS items
JOIN published_runs AS runs ON runs.is_current AND items.launch_day >= runs.as_of - INTERVAL '90' DAY
WHERE items.revenue > 0
ORDER BY items.revenue DESC, items.item_id
