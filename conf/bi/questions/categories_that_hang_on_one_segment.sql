-- Which categories hang on one segment?
WITH shares AS (
    SELECT
        category,
        segment_name,
        revenue,
        revenue / NULLIF(SUM(revenue) OVER (PARTITION BY category), 0) AS share_of_category
    FROM category_affinity
    WHERE scheme = 'value'
)
SELECT category, segment_name, revenue, share_of_category
FROM shares
WHERE share_of_category >= 0.5
ORDER BY share_of_category DESC, category, segment_name
