-- Which segments keep their users, and which lose them?
SELECT
    scheme,
    from_name AS segment_name,
    SUM(users) AS users_before,
    SUM(CASE WHEN cause = 'same' THEN users ELSE 0 END) AS stayed,
    SUM(CASE WHEN cause = 'same' THEN users ELSE 0 END) / SUM(users) AS share_that_stayed
FROM segment_migration
WHERE from_segment IS NOT NULL
GROUP BY scheme, from_name
ORDER BY share_that_stayed, scheme, segment_name
