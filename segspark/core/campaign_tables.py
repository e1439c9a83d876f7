"""The run tables of campaigns: who gets what and why, what it changed, what to do next, what will be needed."""

from segspark.core.contract import USER_ID, Column, run_table

CAMPAIGN_ID = Column("campaign_id", "string", "the campaign")
SCHEME = Column("scheme", "string", "as in segments")
SEGMENT_NAME = Column("segment_name", "string", "as in segments, when the campaign was planned")
ACTION = Column("action", "string", "as in conf/strategies.yaml")

STRATEGIES = run_table(
    "strategies",
    "one action for a segment; `none` is no contact, as the holdout shows it",
    ["scheme", "segment_name", "action"],
    [
        SCHEME,
        Column("segment_name", "string", "as in segments"),
        Column("action", "string", "as in conf/strategies.yaml, or none"),
        Column("alpha", "double", "of the Beta posterior of the conversion rate, old evidence discounted"),
        Column("beta", "double", "of the same posterior"),
        Column("revenue_mean", "double", "of the normal posterior of the revenue per user, in the shop's currency"),
        Column("revenue_sd", "double", "its standard deviation"),
        Column("users", "double", "users behind the posterior, discounted, without the prior"),
        Column("lift", "double", "conversion rate above no contact, over all campaigns, discounted; null before any"),
        Column("lift_low", "double", "of the confidence sequence, which holds however often one looks"),
        Column("lift_high", "double", "of the same"),
        Column("gain", "double", "expected money per contact above no contact, after its cost"),
        Column("share", "double", "of the segment's contacts that the action should get"),
        Column("previous_share", "double", "the same in the published run; null where it did not have the action"),
        Column("status", "string", "untried, exploring, scaled, stopped; baseline for none"),
        Column("reason", "string", "for a person: why the share is what it is"),
    ],
    driver_sized=True,
)

STRATEGY_VALUES = run_table(
    "strategy_values",
    "one estimate of what a policy would have earned with the contacts that were logged",
    ["scheme", "policy", "estimator"],
    [
        SCHEME,
        Column("policy", "string", "next: the shares of strategies; logged: what was done"),
        Column("estimator", "string", "mean, ips, snips (self-normalised) or doubly_robust"),
        Column("value", "double", "per contact: conversions, or money where the objective is revenue"),
        Column("low", "double", "95 % interval"),
        Column("high", "double", "95 % interval"),
        Column("contacts", "bigint", "contacts with a propensity"),
        Column("effective_contacts", "double", "(sum of weights)^2 / sum of squared weights; few: do not trust it"),
        Column("left_out", "bigint", "contacts without a propensity, or whose users the policy does not contact"),
        Column("unseen", "double", "the policy's share of actions that were never logged, which ips and snips miss"),
    ],
    driver_sized=True,
)

CAMPAIGNS = run_table(
    "campaigns",
    "one campaign that the run planned",
    ["campaign_id"],
    [
        CAMPAIGN_ID,
        SCHEME,
        Column(
            "planned_on", "date", "as_of of the run: of a campaign that is planned again the days from here on change"
        ),
        Column("starts_on", "date", "first day of contacts"),
        Column("ends_on", "date", "last day of contacts"),
        Column("holdout_share", "double", "of each segment's users who may be contacted"),
        Column("users", "bigint", "users of the scheme"),
        Column("contacts", "bigint", "planned contacts"),
        Column("held_out", "bigint", "users who would have been contacted, and are not"),
        Column("cost", "double", "of the contacts, in the shop's currency"),
        Column("expected_gain", "double", "of the contacts after their cost, by the posterior means"),
        Column(
            "left_out",
            "array<struct<reason:string,users:bigint>>",
            "users who are neither, by the first reason that holds",
        ),
    ],
    kept=True,
    driver_sized=True,
)

CAMPAIGN_MEMBERS = run_table(
    "campaign_members",
    "one user who may be contacted, when the campaign first knew them; a campaign that is planned again keeps the row",
    ["campaign_id", "user_id"],
    [
        CAMPAIGN_ID,
        USER_ID,
        SEGMENT_NAME,
        Column("holdout", "boolean", "never contacted by the campaign, whatever happens"),
    ],
    kept=True,
)

CAMPAIGN_PLAN = run_table(
    "campaign_plan",
    "one user's planned contact, or one that is withheld to compare with",
    ["campaign_id", "user_id"],
    [
        CAMPAIGN_ID,
        USER_ID,
        SEGMENT_NAME,
        ACTION,
        Column("channel", "string", "as in conf/strategies.yaml"),
        Column("items", "array<string>", "what to show, best first; null where the action shows no items"),
        Column("holdout", "boolean", "whether the contact is withheld"),
        Column("allowed", "array<string>", "the actions that the user could get"),
        Column("propensity", "double", "how likely the action was among them; null where a budget or stock decided"),
        Column("send_on", "date", "the day of the contact; for a withheld one the day it would have been"),
        Column("expected_uplift", "double", "conversions above no contact by the posterior means; money with revenue"),
        Column("expected_gain", "double", "money above no contact, after its cost, by the same"),
        Column("cost", "double", "of the contact, in the shop's currency"),
    ],
    kept=True,
)

CAMPAIGN_LIFT = run_table(
    "campaign_lift",
    "one measure of one action's effect in one segment; `all` stands for all segments, or all actions",
    ["campaign_id", "segment_name", "action", "measure"],
    [
        CAMPAIGN_ID,
        Column("segment_name", "string", "as in campaign_plan, or all"),
        Column("action", "string", "as in campaign_plan, or all"),
        Column(
            "measure",
            "string",
            "conversion (share of users), revenue, revenue_cuped (narrowed by what was spent before), active_days,"
            " rating (mean over who rated); per user within the attribution window",
        ),
        Column(
            "method",
            "string",
            "what makes the sides alike: holdout (drawn at random), strata (drawn in other shares by segment or action:"
            " each compared by itself, then averaged), weighting (not drawn at random)",
        ),
        Column("treated_users", "bigint", "users whose window has closed; of rating: those who rated"),
        Column("control_users", "bigint", "the same of those held out"),
        Column("treated", "double", "their mean"),
        Column("control", "double", "the mean of those held out"),
        Column("lift", "double", "treated - control"),
        Column(
            "lift_low", "double", "95 % interval: Newcombe for shares, the wider of Welch's and Student's for means"
        ),
        Column("lift_high", "double", "the same"),
        Column("bootstrap_low", "double", "95 % percentile bootstrap, of money"),
        Column("bootstrap_high", "double", "the same"),
        Column(
            "p_value",
            "double",
            "two-sided: score test for shares (Fisher's where few are expected), for means the larger of Welch's and"
            " Student's",
        ),
        Column(
            "p_adjusted",
            "double",
            "of the campaign as a whole doubled, of its parts by Holm and doubled: of campaigns without effect 5 %"
            " at most look as if they had one, in any row of the measure",
        ),
        Column(
            "least_detectable",
            "double",
            "the true effect that 80 % of such campaigns would find at 5 %, the adjustment included",
        ),
        Column(
            "verdict",
            "string",
            "works, harms, inconclusive (as is everything while windows of the campaign are open); informs: rating,"
            " which tells of who rated only; too few: no test is possible",
        ),
    ],
    driver_sized=True,
)

CAMPAIGN_CHECKS = run_table(
    "campaign_checks",
    "one check of one campaign",
    ["campaign_id", "check"],
    [
        CAMPAIGN_ID,
        Column("check", "string", "what was checked"),
        Column("passed", "boolean", "whether it holds; null where there is nothing to check, or not yet"),
        Column("value", "double", "the number found"),
        Column("bound", "double", "the number allowed; null where it only informs"),
        Column("note", "string", "for a person: what it means and what to do"),
    ],
    driver_sized=True,
)

CAMPAIGN_EVIDENCE = run_table(
    "campaign_evidence",
    "what one side of one campaign did from one day on, added up, as the strategy learns from it",
    ["campaign_id", "starts_on", "segment_name", "action", "treated"],
    [
        SCHEME,
        CAMPAIGN_ID,
        Column("starts_on", "date", "the day from which windows count"),
        SEGMENT_NAME,
        Column("action", "string", "what was done, or would have been"),
        Column("treated", "boolean", "the contacted; false: the held out"),
        Column("users", "bigint", "users whose window has closed"),
        Column("converted", "bigint", "of them, who ordered"),
        Column("revenue", "double", "what they paid; sums of squares and products are over users"),
        Column("revenue_squares", "double", "its squares"),
        Column("before", "double", "what they paid in the days before"),
        Column("before_squares", "double", "its squares"),
        Column("products", "double", "of revenue and what was paid before"),
        Column("active_days", "bigint", "days on which they did anything"),
        Column("active_squares", "bigint", "their squares"),
        Column("raters", "bigint", "of the users, who rated"),
        Column("rating", "double", "over raters, of each one's mean"),
        Column("rating_squares", "double", "its squares"),
        Column("trusted", "boolean", "false: the campaign did not keep its sample ratio, and teaches nothing"),
        Column(
            "basis",
            "string",
            "digest of plans, settings and code that it was measured by: on the same basis closed campaigns are not"
            " measured again; null: a campaign of more than a year ago",
        ),
    ],
    driver_sized=True,
)

CAMPAIGN_REWARDS = run_table(
    "campaign_rewards",
    "the contacts of one campaign, segment and action whose users could get the same actions, as strategy_values weighs"
    " them",
    ["campaign_id", "segment_name", "action", "allowed"],
    [
        SCHEME,
        CAMPAIGN_ID,
        SEGMENT_NAME,
        Column("action", "string", "what they got"),
        Column("allowed", "array<string>", "the actions that they could get, sorted; null where nobody knows"),
        Column("left_out", "bigint", "contacts without a propensity, or without the action among the allowed"),
        Column("contacts", "bigint", "the others; p is their propensity, r what they earned"),
        Column("reward", "double", "sum of r: conversions, or money where the objective is revenue"),
        Column("reward_2", "double", "sum of r^2"),
        Column("inverse", "double", "sum of 1 / p"),
        Column("inverse_2", "double", "sum of 1 / p^2"),
        Column("reward_inverse", "double", "sum of r / p"),
        Column("reward_inverse_2", "double", "sum of r / p^2"),
        Column("reward_2_inverse_2", "double", "sum of r^2 / p^2"),
    ],
    driver_sized=True,
)

CAMPAIGN_BALANCE = run_table(
    "campaign_balance",
    "one covariate of the two sides of a campaign",
    ["campaign_id", "covariate"],
    [
        CAMPAIGN_ID,
        Column("covariate", "string", "what users did before the campaign"),
        Column("treated", "double", "mean of the treated"),
        Column("control", "double", "mean of the others"),
        Column("control_weighted", "double", "mean of the others by their weights; as control where there are none"),
        Column("smd_before", "double", "standardised mean difference; beyond .1 the sides differ"),
        Column("smd_after", "double", "the same with the weights"),
    ],
    driver_sized=True,
)

CAMPAIGN_MOVES = run_table(
    "campaign_moves",
    "where the users of one segment were after a campaign, by their own behaviour",
    ["campaign_id", "segment_name", "move"],
    [
        CAMPAIGN_ID,
        SEGMENT_NAME,
        Column("move", "string", "up or down (to a segment that spends more or less per user), gone or same"),
        Column("treated_users", "bigint", "users who were to be contacted, and whose window has closed"),
        Column("control_users", "bigint", "users who were held out, the same"),
        Column("treated", "double", "share of the first who moved so"),
        Column("control", "double", "share of the held out"),
        Column("difference", "double", "treated - control"),
        Column("low", "double", "95 % interval (Newcombe)"),
        Column("high", "double", "the same"),
    ],
    driver_sized=True,
)

SEGMENT_DEMAND = run_table(
    "segment_demand",
    "what one segment will want of one category, or one best-selling item, in one week",
    ["scheme", "segment_name", "category", "item_id", "week"],
    [
        SCHEME,
        Column("segment_name", "string", "as in segments; others: buyers without a segment, and guests"),
        Column("category", "string", "as in the items, else the orders; an empty text where there is none"),
        Column("item_id", "string", "a best-selling item; null for the whole category"),
        Column("week", "date", "first day of seven"),
        Column("expected_units", "double", "units of paid lines"),
        Column("low", "double", "10 % point, by the errors of the back-test; null where there was none"),
        Column("high", "double", "90 % point"),
        Column("trend", "double", "change of expected units to the week after, as a share of them"),
        Column("stock", "double", "units at hand for all segments, of the items that tell; null where none does"),
        Column("stock_cover_days", "double", "days that the stock lasts at what all segments will want in these weeks"),
        Column("turnover", "double", "units sold in the last 28 days by units at hand"),
        Column("campaign_units", "double", "units on top because of the planned campaign, in the week it starts in"),
        Column("is_short", "boolean", "whether all segments and the campaign want more by the end of the week"),
    ],
    driver_sized=True,
)

DEMAND_ACCURACY = run_table(
    "demand_accuracy",
    "one way to forecast, judged on weeks that were held out",
    ["scheme", "level", "model"],
    [
        SCHEME,
        Column("level", "string", "category or item"),
        Column("model", "string", "damped_trend_and_mean, last_value (the last week) or seasonal_naive (last year's)"),
        Column("mae", "double", "mean absolute error, units a week"),
        Column("wape", "double", "sum of absolute errors by sum of units"),
        Column("mase", "double", "mean error by that of repeating each week in the training part"),
        Column("forecasts", "bigint", "weeks of series that were forecast"),
        Column("first_origin", "date", "the first day from which was forecast"),
        Column("last_origin", "date", "the last"),
        Column("used", "boolean", "whether segment_demand is made by it: the least wape"),
    ],
    driver_sized=True,
)
