-- grain: one covariate of a campaign that nobody drew at random, with min_group users or more on either side
-- campaign_id: the campaign
-- covariate: what users did in the days before the campaign
-- treated: mean of the contacted
-- control: mean of the others
-- control_weighted: mean of the others by their weights; as control where there are none
-- smd_before: how far the sides lie apart, in standard deviations; beyond 0.1 either way they differ
-- smd_after: the same with the weights: what the effect was compared between
WITH large AS (
    SELECT campaign_id
    FROM published.campaign_lift
    WHERE segment_name = 'all'
    GROUP BY campaign_id
    HAVING MIN(treated_users) >= min_group AND MIN(control_users) >= min_group
)
SELECT b.campaign_id, b.covariate, b.treated, b.control, b.control_weighted, b.smd_before, b.smd_after
FROM published.campaign_balance b
JOIN large l ON l.campaign_id = b.campaign_id
