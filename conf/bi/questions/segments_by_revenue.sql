-- Which segments bring the most revenue, and from how many users?
SELECT segment_name, users, share_of_users, revenue, share_of_revenue, revenue_per_user
FROM segment_overview
WHERE scheme = 'value'
ORDER BY revenue DESC NULLS LAST, segment_id
