-- Is what is published whole, and up to which day does it count?
SELECT as_of, stage, status, rows_written, note
FROM run_health
WHERE is_current
ORDER BY started_at, stage
