-- grain: one check of one campaign that the published run looked back on
-- campaign_id: the campaign
-- check_name: what was checked
-- passed: whether it holds; null where there was nothing to check, or not yet
-- value: the number found
-- bound: the number allowed; null where it only informs
-- note: what it means and what to do
SELECT campaign_id, `check` AS check_name, passed, value, bound, note
FROM published.campaign_checks
