-- Which actions did harm, and are they stopped?
-- A segment may be called otherwise by now, or the action be gone: then nothing stands beside it.
SELECT
    effects.campaign_id,
    effects.segment_name,
    effects.action,
    effects.measure,
    effects.lift,
    effects.lift_low,
    effects.lift_high,
    next_strategy.status,
    next_strategy.share
FROM campaign_effects AS effects
LEFT JOIN next_strategy
    ON next_strategy.segment_name = effects.segment_name AND next_strategy.action = effects.action
WHERE effects.verdict = 'harms' AND effects.action <> 'all'
ORDER BY effects.measure, effects.lift, effects.campaign_id, effects.segment_name, effects.action
