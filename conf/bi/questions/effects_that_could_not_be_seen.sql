-- What was inconclusive, and how large would an effect have to be to be seen?
-- That nothing was seen is no proof that there is nothing: more users, or more held out, show smaller effects. Campaigns
-- whose windows are still open are inconclusive for that, and do not stand here.
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
WHERE
    verdict = 'inconclusive'
    AND action <> 'all'
    AND campaign_id NOT IN (
        SELECT campaign_id
        FROM campaign_quality
        WHERE check_name = 'windows closed' AND passed IS NULL
    )
ORDER BY measure, least_detectable DESC, campaign_id, segment_name, action
