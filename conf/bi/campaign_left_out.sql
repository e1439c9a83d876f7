-- grain: one reason why min_group users or more are neither contacted nor held out by a campaign of the published run
-- campaign_id: the campaign
-- reason: the first that holds: no consent, a contact a short time ago, no action that suits, the budget, …
-- users: how many
-- share_of_users: of all users of the scheme
WITH told AS (
    SELECT
        campaigns.campaign_id,
        campaigns.users AS all_users,
        why,
        ELEMENT_AT(FILTER(campaigns.left_out, entry -> entry.reason = why), 1).users AS users
    FROM published.campaigns AS campaigns
    LATERAL VIEW EXPLODE(TRANSFORM(campaigns.left_out, entry -> entry.reason)) reasons AS why
)
SELECT campaign_id, why AS reason, users, users / all_users AS share_of_users
FROM told
WHERE users >= min_group
