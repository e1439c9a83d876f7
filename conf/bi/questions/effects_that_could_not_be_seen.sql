-- What was inconclusive, and how large would an effect have to be to be seen?
-- That nothing was seen is no proof that there is nothing: more users, or more held out, show smaller effects.
SELECT
    campaign_id,
    segment_name,
    action,
    measure,
    treated_users,
    control_users,
    lift,
    lift_low,
    lift_high,
    least_detectable
FROM campaign_effects
WHERE verdict = 'inconclusive' AND action <> 'all'
ORDER BY measure, least_detectable DESC, campaign_id, segment_name, action
