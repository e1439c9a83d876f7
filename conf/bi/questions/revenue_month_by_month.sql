-- How does each segment's revenue develop from month to month?
SELECT
    segment_name,
    month,
    revenue_per_day,
    revenue_per_day
        - LAG(revenue_per_day) OVER (PARTITION BY scheme, segment_id ORDER BY month) AS change_per_day
FROM revenue_by_segment
WHERE scheme = 'value'
ORDER BY segment_name, month
