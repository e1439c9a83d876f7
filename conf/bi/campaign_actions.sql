-- grain: one action for min_group users or more of one segment, in a campaign that the published run planned
-- campaign_id: the campaign
-- segment_name: as the segment was named when the campaign was planned
-- action: as in conf/strategies.yaml
-- channel: by which it goes out
-- contacts: planned contacts; null where they are fewer than min_group, but not none
-- held_out: users who would get the action and do not, to compare with; null as contacts
-- cost: of the contacts, in the shop's currency; null as contacts
-- expected_gain: of the contacts after their cost, by what earlier campaigns showed; null as contacts
-- gain_forgone: the same of those held out, which is what measuring costs; null as held_out
-- first_day: of the contacts; null as contacts, and where there are none
-- last_day: of the contacts; null as first_day
WITH planned AS (
    SELECT
        campaign_id,
        segment_name,
        action,
        channel,
        SUM(CASE WHEN holdout THEN 0 ELSE 1 END) AS contacts,
        SUM(CASE WHEN holdout THEN 1 ELSE 0 END) AS held_out,
        SUM(CASE WHEN holdout THEN 0 ELSE cost END) AS cost,
        SUM(CASE WHEN holdout THEN 0 ELSE expected_gain END) AS expected_gain,
        SUM(CASE WHEN holdout THEN expected_gain ELSE 0 END) AS gain_forgone,
        MIN(CASE WHEN holdout THEN NULL ELSE send_on END) AS first_day,
        MAX(CASE WHEN holdout THEN NULL ELSE send_on END) AS last_day
    FROM published.campaign_plan
    GROUP BY campaign_id, segment_name, action, channel
    HAVING COUNT(*) >= min_group
)
SELECT
    campaign_id,
    segment_name,
    action,
    channel,
    CASE WHEN contacts = 0 OR contacts >= min_group THEN contacts END AS contacts,
    CASE WHEN held_out = 0 OR held_out >= min_group THEN held_out END AS held_out,
    CASE WHEN contacts = 0 OR contacts >= min_group THEN cost END AS cost,
    CASE WHEN contacts = 0 OR contacts >= min_group THEN expected_gain END AS expected_gain,
    CASE WHEN held_out = 0 OR held_out >= min_group THEN gain_forgone END AS gain_forgone,
    CASE WHEN contacts >= min_group THEN first_day END AS first_day,
    CASE WHEN contacts >= min_group THEN last_day END AS last_day
FROM planned
