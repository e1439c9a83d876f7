-- grain: one stage of a run that was ever published, as it ended last
-- run_id: the run that computed the row
-- as_of: nothing on or after this day counted
-- is_current: whether the run is what is published now
-- stage: the stage; run for the whole
-- status: done, skipped or another end
-- started_at: when it began, UTC
-- seconds: how long it took
-- rows_written: rows in all tables that it wrote
-- note: why it was skipped, or what deserves a look
WITH newest AS (
    SELECT
        run_id,
        stage,
        status,
        started_at,
        seconds,
        `rows` AS rows_written,
        note,
        ROW_NUMBER() OVER (PARTITION BY run_id, stage ORDER BY heartbeat_at DESC) AS place
    FROM ledger.runs
)
SELECT
    newest.run_id,
    runs.as_of,
    runs.is_current,
    newest.stage,
    newest.status,
    newest.started_at,
    newest.seconds,
    newest.rows_written,
    newest.note
FROM newest
JOIN published_runs AS runs ON runs.run_id = newest.run_id
WHERE newest.place = 1 AND newest.stage NOT IN ('pin', 'lease')
