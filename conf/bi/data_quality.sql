-- grain: one check on one source of the published run
-- source: the source or table
-- check_name: what was checked
-- passed: whether it holds
-- value: the number found
-- bound: the number allowed; null where it only informs
SELECT source, `check` AS check_name, passed, value, bound
FROM published.quality
