-- grain: what one segment with min_group users or more will want of one category or best-selling item, in one week
-- scheme: whose segments they are
-- segment_name: as the segment was named; others: guests, and buyers without a segment
-- category: as in dim_item, or the rest of them added up; not told where fewer than min_group of the segment bought
--   from it, but not none
-- item_id: a best-selling item, which min_group users or more bought; null for the whole category
-- week: first day of seven
-- expected_units: units of paid lines
-- low: lower end of what to reckon with, by the errors on weeks it had not seen: one in ten is below; null without any
-- high: upper end of it
-- trend: change of expected units to the week after, as a share of them
-- campaign_units: units on top because of the planned campaign, in the week it starts in
-- stock: units at hand for all segments; null where the source items does not tell
-- stock_cover_days: days that the stock lasts at what all segments together will want, the campaign not counted
-- turnover: units sold in the last 28 days by units at hand
-- is_short: whether all segments and the campaign want more by the end of the week than there is
SELECT
    demand.scheme,
    demand.segment_name,
    demand.category,
    demand.item_id,
    demand.week,
    demand.expected_units,
    demand.low,
    demand.high,
    demand.trend,
    demand.campaign_units,
    demand.stock,
    demand.stock_cover_days,
    demand.turnover,
    demand.is_short
FROM published.segment_demand AS demand
LEFT JOIN published.segments AS segments ON segments.scheme = demand.scheme AND segments.name = demand.segment_name
LEFT JOIN published.segment_categories AS bought
    ON bought.scheme = demand.scheme
    AND bought.segment_id = segments.segment_id
    AND bought.category = demand.category
LEFT JOIN published.item_facts AS items ON items.item_id = demand.item_id
WHERE (segments.size >= min_group OR demand.segment_name = 'others')
    AND (bought.buyers IS NULL OR bought.buyers >= min_group)
    AND (demand.item_id IS NULL OR items.buyers >= min_group)
