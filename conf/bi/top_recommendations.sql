-- grain: one item for one user, by one method
-- user_key: the user's pseudonym, the same from run to run while the key is
-- method: als, or another method; popularity for users of whom nothing else is known
-- rank: 1 is the best
-- item_id: the item, as the shop names it
-- category: the shelf it stands on
-- score: what the ranking went by; comparable within one method
-- why: in general words; the one item that it is near to would tell what the user did
SELECT
    facts.user_key,
    lists.method,
    lists.rank,
    lists.item_id,
    items.category,
    lists.score,
    CASE
        WHEN lists.reason IN ('popular', 'popular in your segment') THEN lists.reason
        WHEN lists.reason LIKE 'you %' THEN 'chosen before'
        ELSE 'near what they chose'
    END AS why
FROM published.recommendations AS lists
JOIN published.user_facts AS facts ON facts.user_id = lists.user_id
LEFT JOIN published.item_facts AS items ON items.item_id = lists.item_id
