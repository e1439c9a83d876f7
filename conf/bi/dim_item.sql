-- grain: one item at as_of; sales of one with fewer than min_group buyers are not told
-- item_id: the item, as the shop names it
-- category: the shelf it stands on
-- brand: the brand
-- price: list price, in the shop's currency
-- launch_day: first day on sale
-- buyers: known users who bought it
-- units: units sold, also to guests
-- revenue: paid for it after discount, also by guests
SELECT
    item_id,
    category,
    brand,
    price,
    launch_day,
    CASE WHEN buyers >= min_group THEN buyers END AS buyers,
    CASE WHEN buyers >= min_group THEN units END AS units,
    CASE WHEN buyers >= min_group THEN revenue END AS revenue
FROM published.item_facts
