-- Who is left out of the campaign, and why?
SELECT campaign_id, reason, users, share_of_users
FROM campaign_left_out
ORDER BY users DESC, campaign_id, reason
