-- grain: one neighbour of an item; by acts only where min_group users or more acted on each of the two
-- method: cosine or another measure of acts and ratings; content: of what is written of the items
-- item_id: the item
-- category: the shelf it stands on
-- rank: 1 is the nearest
-- neighbour_id: the neighbour, an item
-- neighbour_category: the shelf that one stands on
-- similarity: up to 1
SELECT
    near.method,
    near.item_id,
    items.category,
    near.rank,
    near.neighbour_id,
    neighbours.category AS neighbour_category,
    near.similarity
FROM published.item_similarity AS near
JOIN published.item_facts AS items ON items.item_id = near.item_id
JOIN published.item_facts AS neighbours ON neighbours.item_id = near.neighbour_id
WHERE near.method = 'content' OR (items.users >= min_group AND neighbours.users >= min_group)
