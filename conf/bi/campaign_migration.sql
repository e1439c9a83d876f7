-- grain: one way in which users of one segment moved after a campaign, with min_group users or more on either side
-- campaign_id: the campaign
-- segment_name: as the segment was named when the campaign was planned
-- move: up or down (to a segment that spends more or less per user), gone or same
-- treated_users: users who were contacted
-- control_users: users who were held out
-- treated: share of the contacted who moved so; null where fewer than min_group of either side did, but not none
-- control: share of those held out; null as treated
-- difference: treated - control
-- difference_low: lower end of its 95 % interval
-- difference_high: upper end of it
WITH shown AS (
    SELECT
        campaign_id,
        segment_name,
        move,
        treated_users,
        control_users,
        treated,
        control,
        difference,
        low,
        high,
        (treated > 0 AND treated * treated_users < min_group - 0.5)
            OR (control > 0 AND control * control_users < min_group - 0.5) AS is_few
    FROM published.campaign_moves
    WHERE treated_users >= min_group AND control_users >= min_group
)
SELECT
    campaign_id,
    segment_name,
    move,
    treated_users,
    control_users,
    CASE WHEN is_few THEN NULL ELSE treated END AS treated,
    CASE WHEN is_few THEN NULL ELSE control END AS control,
    difference,
    low AS difference_low,
    high AS difference_high
FROM shown
