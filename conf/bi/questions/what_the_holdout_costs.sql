-- What does it cost to hold users out, segment by segment?
-- By what the contacts are expected to bring; without it nobody could tell whether they bring anything.
SELECT segment_name, SUM(held_out) AS held_out, SUM(gain_forgone) AS gain_forgone
FROM campaign_actions
WHERE held_out > 0
GROUP BY segment_name
ORDER BY gain_forgone DESC, segment_name
