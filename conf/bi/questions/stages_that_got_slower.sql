-- Which stages take longer than in the run before?
WITH compared AS (
    SELECT
        stage,
        is_current,
        seconds,
        LAG(seconds) OVER (PARTITION BY stage ORDER BY as_of, run_id) AS seconds_before
    FROM run_health
    WHERE status = 'done'
)
SELECT stage, seconds_before, seconds
FROM compared
WHERE is_current AND seconds > seconds_before
ORDER BY seconds - seconds_before DESC, stage
