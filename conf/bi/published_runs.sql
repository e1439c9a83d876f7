-- grain: one run that was ever published
-- run_id: the run that computed the row
-- as_of: nothing on or after this day counted
-- first_published_at: when it was published first, UTC
-- is_current: whether it is what is published now
-- is_there: whether its rows are there; of a run that was pruned only its moves between segments are
WITH acts AS (
    SELECT run_id, MIN(published_at) AS first_published_at, MAX(seq) AS last_seq
    FROM ledger.publications
    GROUP BY run_id
),
newest AS (SELECT MAX(seq) AS seq FROM ledger.publications),
known AS (SELECT run_id, MAX(as_of) AS as_of FROM ledger.runs GROUP BY run_id),
there AS (SELECT DISTINCT run_id FROM history.segment_facts)
SELECT
    acts.run_id,
    known.as_of,
    acts.first_published_at,
    acts.last_seq = newest.seq AS is_current,
    there.run_id IS NOT NULL AS is_there
FROM acts
CROSS JOIN newest
LEFT JOIN known ON known.run_id = acts.run_id
LEFT JOIN there ON there.run_id = acts.run_id
