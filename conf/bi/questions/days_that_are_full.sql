-- How much of what its fullest day sends is used on each day of a channel?
-- The budgets stand in conf/strategies.yaml; where they bind, campaign_left_out has the reason that the budget ends.
SELECT
    campaign_id,
    channel,
    send_on,
    contacts,
    cost,
    CAST(contacts AS DOUBLE) / MAX(contacts) OVER (PARTITION BY campaign_id, channel) AS share_of_fullest_day
FROM campaign_calendar
ORDER BY campaign_id, channel, send_on
