-- Which segments have many users but little revenue?
SELECT segment_name, users, share_of_users, share_of_revenue, strategy
FROM segment_overview
WHERE scheme = 'value' AND share_of_revenue < share_of_users
ORDER BY share_of_users - share_of_revenue DESC, segment_name
