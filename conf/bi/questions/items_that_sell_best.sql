-- Which items bring the most revenue, and how many buyers?
SELECT item_id, category, brand, buyers, units, revenue
FROM dim_item
WHERE revenue IS NOT NULL
ORDER BY revenue DESC, item_id
LIMIT 20
