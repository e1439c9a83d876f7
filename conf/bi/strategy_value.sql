-- grain: one estimate, from min_group contacts or more, of what a policy would have earned with what was sent
-- scheme: whose segments the actions were chosen for
-- policy: next: the shares of next_strategy; logged: what was done
-- estimator: mean, ips (inverse propensity), snips (self-normalised) or doubly_robust
-- value: per contact: conversions, or money where the strategy goes by revenue
-- low: lower end of its 95 % interval
-- high: upper end of it
-- contacts: contacts of which it is known how likely they were
-- effective_contacts: how many contacts of equal weight would tell as much; where they are few, do not trust the value
-- left_out: contacts of which that is not known, or whose users the policy does not contact
-- unseen: the policy's share of actions that were never sent, of which ips and snips know nothing
SELECT scheme, policy, estimator, value, low, high, contacts, effective_contacts, left_out, unseen
FROM published.strategy_values
WHERE contacts >= min_group
