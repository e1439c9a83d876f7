-- grain: one feature of one segment with min_group users or more
-- scheme: value, taste or a scheme of your own
-- segment_id: number in the scheme, the same from run to run
-- segment_name: as the segment was named
-- feature: in its own unit; a share for one value of a category, as gender=f, not told of fewer than min_group users
-- mean: over the segment's users who have it
-- median: over a sample of them; null for shares
-- overall_mean: over all users who have it
-- lift: mean by overall_mean: 2 is twice as much as all users
SELECT
    profiles.scheme,
    profiles.segment_id,
    segments.name AS segment_name,
    profiles.feature,
    profiles.mean,
    profiles.median,
    profiles.overall_mean,
    profiles.lift
FROM published.segment_profiles AS profiles
JOIN published.segments AS segments
    ON segments.scheme = profiles.scheme AND segments.segment_id = profiles.segment_id
WHERE segments.size >= min_group
    AND (profiles.median IS NOT NULL OR profiles.mean * segments.size >= min_group)
