-- Which segments lose revenue this month, and to which?
-- Money of the 30 days before as_of against that of the run before, and what those who left take along.
WITH compared AS (
    SELECT
        scheme,
        segment_id,
        segment_name,
        is_current,
        revenue_30d,
        LAG(revenue_30d) OVER (PARTITION BY scheme, segment_id ORDER BY as_of, run_id) AS revenue_before
    FROM segment_trend
)
SELECT
    compared.segment_name AS loses,
    compared.revenue_30d - compared.revenue_before AS change,
    moves.to_name AS gains,
    moves.users,
    moves.revenue_30d AS taken_along
FROM compared
LEFT JOIN segment_migration AS moves
    ON moves.scheme = compared.scheme
    AND moves.from_segment = compared.segment_id
    AND (moves.to_segment IS NULL OR moves.to_segment <> moves.from_segment)
WHERE compared.is_current AND compared.scheme = 'value' AND compared.revenue_30d < compared.revenue_before
ORDER BY change, taken_along DESC NULLS LAST, gains NULLS LAST
