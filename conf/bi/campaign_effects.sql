-- grain: one measure of one action's effect in one segment, with min_group users or more on either side
-- campaign_id: the campaign
-- segment_name: as the segment was named when the campaign was planned; all: all segments together
-- action: as in conf/strategies.yaml; all: all actions together
-- measure: conversion (share of users), revenue, revenue_cuped (narrowed by what was spent before), active_days or
--   rating (mean over who rated); per user within the attribution window
-- method: what makes the sides alike: holdout (drawn at random), strata (drawn in other shares by segment or action, so
--   each compared by itself) or weighting (not drawn at random)
-- treated_users: users who were contacted, whose window has closed
-- control_users: users who were held out, the same
-- treated: mean of the contacted; null where fewer than min_group of either side ordered, but not none
-- control: mean of those held out; null as treated
-- lift: treated - control
-- lift_low: lower end of its 95 % interval
-- lift_high: upper end of it
-- p_adjusted: by Holm over the segments and actions of the campaign and measure
-- least_detectable: the true effect that 80 % of such campaigns would find
-- verdict: works, harms, inconclusive (as is everything while windows of the campaign are open); informs: rating, which
--   tells of who rated only; too few: no test is possible
WITH shown AS (
    SELECT
        campaign_id,
        segment_name,
        action,
        measure,
        method,
        treated_users,
        control_users,
        treated,
        control,
        lift,
        lift_low,
        lift_high,
        p_adjusted,
        least_detectable,
        verdict
    FROM published.campaign_lift
    WHERE treated_users >= min_group AND control_users >= min_group
),
few AS (
    SELECT campaign_id, segment_name, action
    FROM shown
    WHERE measure = 'conversion'
        AND (
            (treated > 0 AND treated * treated_users < min_group - 0.5)
            OR (control > 0 AND control * control_users < min_group - 0.5)
        )
)
SELECT
    shown.campaign_id,
    shown.segment_name,
    shown.action,
    shown.measure,
    shown.method,
    shown.treated_users,
    shown.control_users,
    CASE WHEN few.action IS NULL OR shown.measure IN ('active_days', 'rating') THEN shown.treated END AS treated,
    CASE WHEN few.action IS NULL OR shown.measure IN ('active_days', 'rating') THEN shown.control END AS control,
    shown.lift,
    shown.lift_low,
    shown.lift_high,
    shown.p_adjusted,
    shown.least_detectable,
    shown.verdict
FROM shown
LEFT JOIN few
    ON few.campaign_id = shown.campaign_id AND few.segment_name = shown.segment_name AND few.action = shown.action
