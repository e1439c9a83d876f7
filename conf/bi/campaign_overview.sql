-- grain: one campaign that the published run planned
-- campaign_id: the campaign
-- scheme: whose segments the actions were chosen for
-- planned_on: the day from which contacts were planned; nothing on or after it counted
-- starts_on: first day of contacts
-- ends_on: last day of contacts
-- users: users of the scheme
-- contacts: planned contacts; null where they are fewer than min_group, but not none
-- held_out: users who would be contacted and are not, to compare with; null as contacts
-- share_held_out: held_out by both, where both are told
-- cost: of the contacts, in the shop's currency; null as contacts
-- expected_gain: of the contacts after their cost, by what earlier campaigns showed; null as contacts
WITH shown AS (
    SELECT
        campaign_id,
        scheme,
        planned_on,
        starts_on,
        ends_on,
        users,
        CASE WHEN contacts = 0 OR contacts >= min_group THEN contacts END AS contacts,
        CASE WHEN held_out = 0 OR held_out >= min_group THEN held_out END AS held_out,
        CASE WHEN contacts = 0 OR contacts >= min_group THEN cost END AS cost,
        CASE WHEN contacts = 0 OR contacts >= min_group THEN expected_gain END AS expected_gain
    FROM published.campaigns
    WHERE users >= min_group
)
SELECT
    campaign_id,
    scheme,
    planned_on,
    starts_on,
    ends_on,
    users,
    contacts,
    held_out,
    held_out / NULLIF(contacts + held_out, 0) AS share_held_out,
    cost,
    expected_gain
FROM shown
