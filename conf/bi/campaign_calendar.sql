-- grain: one day of one channel with min_group contacts or more, in a campaign that the published run planned
-- campaign_id: the campaign
-- channel: by which the contacts go out
-- send_on: the day
-- contacts: planned contacts
-- cost: of them, in the shop's currency; what a day may cost stands in conf/strategies.yaml
SELECT campaign_id, channel, send_on, COUNT(*) AS contacts, SUM(cost) AS cost
FROM published.campaign_plan
WHERE NOT holdout
GROUP BY campaign_id, channel, send_on
HAVING COUNT(*) >= min_group
