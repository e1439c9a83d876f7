-- grain: one user in one scheme, in each run that was ever published and is still there
-- user_key: the user's pseudonym, the same from run to run while the key is
-- run_id: the run that computed the row
-- as_of: nothing on or after this day counted
-- scheme: value, taste or a scheme of your own
-- segment_id: number in the scheme, the same from run to run
-- segment_name: as the segment was named
-- confidence: 0 on the border to the next segment, up to 1
-- change: since the run before: same, behaviour, refit or new; null in a first run
-- is_current: whether the run is what is published now
SELECT
    facts.user_key,
    members.run_id,
    runs.as_of,
    members.scheme,
    members.segment_id,
    members.segment_name,
    members.confidence,
    members.change,
    runs.is_current
FROM history.user_segments AS members
JOIN history.user_facts AS facts ON facts.run_id = members.run_id AND facts.user_id = members.user_id
JOIN published_runs AS runs ON runs.run_id = members.run_id
