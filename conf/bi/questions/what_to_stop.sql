-- Which actions are stopped or get less than before, and why?
SELECT scheme, segment_name, action, status, previous_share, share, reason
FROM next_strategy
WHERE status = 'stopped' OR change_of_share < 0
ORDER BY scheme, segment_name, share, action
