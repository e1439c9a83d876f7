-- grain: one category that min_group users or more of one segment bought from
-- scheme: value, taste or a scheme of your own
-- segment_id: number in the scheme, the same from run to run
-- segment_name: as the segment was named
-- category: as in dim_item; empty for items that have none
-- buyers: users of the segment who bought from it
-- units: units they bought
-- revenue: what they paid for them
-- share_of_buyers: of the segment's users who ever ordered
-- lift: share_of_buyers by that of all segments that are shown for the category: 2 is twice as likely
WITH shown AS (
    SELECT
        bought.scheme,
        bought.segment_id,
        bought.category,
        bought.buyers,
        bought.units,
        bought.revenue,
        facts.buyers AS segment_buyers
    FROM published.segment_categories AS bought
    JOIN published.segment_facts AS facts ON facts.scheme = bought.scheme AND facts.segment_id = bought.segment_id
    WHERE bought.buyers >= min_group
),
overall AS (
    SELECT scheme, category, SUM(buyers) AS buyers, SUM(segment_buyers) AS segment_buyers
    FROM shown
    GROUP BY scheme, category
)
SELECT
    shown.scheme,
    shown.segment_id,
    segments.name AS segment_name,
    shown.category,
    shown.buyers,
    shown.units,
    shown.revenue,
    shown.buyers / shown.segment_buyers AS share_of_buyers,
    (shown.buyers / shown.segment_buyers) / (overall.buyers / overall.segment_buyers) AS lift
FROM shown
JOIN overall ON overall.scheme = shown.scheme AND overall.category = shown.category
JOIN published.segments AS segments ON segments.scheme = shown.scheme AND segments.segment_id = shown.segment_id
