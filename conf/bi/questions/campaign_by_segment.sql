-- Whom does the planned campaign contact by which action, what does it cost, and what is it expected to bring?
SELECT
    campaign_id,
    segment_name,
    action,
    channel,
    contacts,
    cost,
    expected_gain,
    expected_gain / NULLIF(cost, 0) AS gain_by_cost,
    first_day,
    last_day
FROM campaign_actions
WHERE contacts > 0
ORDER BY expected_gain DESC, campaign_id, segment_name, action, channel
