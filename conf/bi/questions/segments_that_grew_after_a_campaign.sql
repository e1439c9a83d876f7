-- After which campaigns did more of the contacted move up, or fewer leave, than of those held out?
-- An interval that includes zero may be chance.
SELECT
    campaign_id,
    segment_name,
    move,
    treated,
    control,
    difference,
    difference_low,
    difference_high
FROM campaign_migration
WHERE (move = 'up' AND difference > 0) OR (move = 'gone' AND difference < 0)
ORDER BY move DESC, difference DESC, campaign_id, segment_name
