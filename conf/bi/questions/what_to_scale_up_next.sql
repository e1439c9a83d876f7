-- What should be scaled up next, and why?
SELECT scheme, segment_name, action, previous_share, share, lift, lift_low, lift_high, gain, reason
FROM next_strategy
WHERE status = 'scaled' AND (change_of_share > 0 OR previous_share IS NULL)
ORDER BY gain DESC, scheme, segment_name, action
