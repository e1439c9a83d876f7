-- grain: one user at as_of, bots left out, without any personal column
-- user_key: the user's pseudonym, the same from run to run while the key is
-- value_segment: name of the user's segment in the scheme value
-- taste_segment: name of the user's segment in the scheme taste; other schemes stand in fact_membership
-- recency_band: days since the last order, in words
-- frequency_band: orders, in words
-- monetary_band: fifth of the buyers by money, in words
-- recency_score: 5 for the fifth of the buyers who ordered last, 1 for who ordered longest ago; null: never
-- frequency_score: 5 for the fifth of the buyers with the most orders; null: never ordered
-- monetary_score: 5 for the fifth of the buyers who paid the most; null: never ordered
-- first_order_month: the first day of the month of the first order; null: never
SELECT
    facts.user_key,
    by_value.segment_name AS value_segment,
    by_taste.segment_name AS taste_segment,
    facts.recency_band,
    facts.frequency_band,
    CASE facts.monetary_score
        WHEN 5 THEN 'top fifth'
        WHEN 4 THEN 'second fifth'
        WHEN 3 THEN 'middle fifth'
        WHEN 2 THEN 'fourth fifth'
        WHEN 1 THEN 'last fifth'
        ELSE 'no order'
    END AS monetary_band,
    facts.recency_score,
    facts.frequency_score,
    facts.monetary_score,
    facts.first_order_month
FROM published.user_facts AS facts
LEFT JOIN published.user_segments AS by_value ON by_value.user_id = facts.user_id AND by_value.scheme = 'value'
LEFT JOIN published.user_segments AS by_taste ON by_taste.user_id = facts.user_id AND by_taste.scheme = 'taste'
