-- Which actions worked, in which segments, and by how much at least?
SELECT campaign_id, segment_name, action, measure, treated, control, lift, lift_low, lift_high, p_adjusted
FROM campaign_effects
WHERE verdict = 'works' AND action <> 'all' AND measure IN ('conversion', 'revenue_cuped', 'revenue')
ORDER BY measure, lift_low DESC, campaign_id, segment_name, action
