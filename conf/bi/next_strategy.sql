-- grain: one action for a segment with min_group users or more, as the published run would go on; none is no contact
-- scheme: whose segments they are
-- segment_name: as the segment was named
-- action: as in conf/strategies.yaml, or none
-- status: untried, exploring, scaled, stopped; baseline for none
-- share: of the segment's contacts that the action should get
-- previous_share: the same in the run before; null where it did not have the action
-- change_of_share: share - previous_share
-- users: users behind what is known, older ones counting less; null where they are fewer than min_group, but not none
-- conversion_rate: what is believed of it; null as users
-- lift: conversion rate above no contact, over all campaigns; null before any, and as users
-- lift_low: lower end of the interval, which holds however often one looks; null as lift
-- lift_high: upper end of it; null as lift
-- gain: expected money per contact above no contact, after its cost; null as users
-- reason: why the share is what it is
WITH shown AS (
    SELECT
        strategies.scheme,
        strategies.segment_name,
        strategies.action,
        strategies.status,
        strategies.share,
        strategies.previous_share,
        strategies.users,
        strategies.alpha / (strategies.alpha + strategies.beta) AS conversion_rate,
        strategies.lift,
        strategies.lift_low,
        strategies.lift_high,
        strategies.gain,
        strategies.reason,
        strategies.users > 0 AND strategies.users < min_group AS is_few
    FROM published.strategies AS strategies
    JOIN published.segments AS segments
        ON segments.scheme = strategies.scheme AND segments.name = strategies.segment_name
    WHERE segments.size >= min_group
)
SELECT
    scheme,
    segment_name,
    action,
    status,
    share,
    previous_share,
    share - previous_share AS change_of_share,
    CASE WHEN is_few THEN NULL ELSE users END AS users,
    CASE WHEN is_few THEN NULL ELSE conversion_rate END AS conversion_rate,
    CASE WHEN is_few THEN NULL ELSE lift END AS lift,
    CASE WHEN is_few THEN NULL ELSE lift_low END AS lift_low,
    CASE WHEN is_few THEN NULL ELSE lift_high END AS lift_high,
    CASE WHEN is_few THEN NULL ELSE gain END AS gain,
    CASE WHEN is_few THEN 'too few users yet to be told' ELSE reason END AS reason
FROM shown
