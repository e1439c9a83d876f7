-- Which categories does each segment prefer?
WITH ranked AS (
    SELECT
        scheme,
        segment_name,
        category,
        buyers,
        lift,
        ROW_NUMBER() OVER (PARTITION BY scheme, segment_id ORDER BY lift DESC, category) AS place
    FROM category_affinity
)
SELECT scheme, segment_name, category, buyers, lift
FROM ranked
WHERE place <= 3
ORDER BY scheme, segment_name, lift DESC, category
