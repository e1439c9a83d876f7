-- Which items of different categories go together?
SELECT method, item_id, category, neighbour_id, neighbour_category, similarity
FROM similar_items
WHERE category <> neighbour_category
ORDER BY similarity DESC, method, item_id, neighbour_id
LIMIT 20
