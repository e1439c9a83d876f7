-- Which segments buy most for each order?
SELECT scheme, segment_name, average_order_value, orders
FROM segment_overview
WHERE average_order_value IS NOT NULL
ORDER BY average_order_value DESC, scheme, segment_name
