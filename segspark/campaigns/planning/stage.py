"""All of the planning that knows the lake: who gets which action on which day, and who is held out."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import timedelta
from itertools import pairwise
from typing import Any

from pyspark.sql import DataFrame
from pyspark.sql import functions as F

from segspark.campaigns.catalogue import Strategies
from segspark.campaigns.config import CampaignsConfig
from segspark.campaigns.history import Campaign, Planned, contacts_of, outcomes_before, plans_in_mind
from segspark.campaigns.planning.asking import Asked, asked_counts, asked_of
from segspark.campaigns.planning.assigning import ASKED, choose_for_everyone, with_prices
from segspark.campaigns.planning.audience import find_audience, last_contacts
from segspark.campaigns.planning.choosing import Rules
from segspark.campaigns.planning.cutting import cut_to_quotas
from segspark.campaigns.planning.describing import (
    NOBODY,
    actions_cut,
    described,
    of_action,
    totals_of_contacts,
    used_by_others,
)
from segspark.campaigns.planning.holdout import draw_members
from segspark.campaigns.planning.offers import candidates, describe_items, still_selling, within_stock, without_promised
from segspark.campaigns.planning.people import find_people, people_counts, with_worth
from segspark.campaigns.planning.prices import budgets_of
from segspark.campaigns.planning.quotas import Used, set_quotas
from segspark.campaigns.planning.ranking import steps_of
from segspark.core.checkpoints import checkpointed, count_each
from segspark.core.contracts import (
    CAMPAIGN_MEMBERS,
    CAMPAIGN_PLAN,
    CAMPAIGNS,
    ITEM_DAYS,
    ITEMS,
    OUTCOMES,
    RECOMMENDATION_METRICS,
    RECOMMENDATIONS,
    USER_FEATURES,
    USER_SEGMENTS,
    USERS,
)
from segspark.core.exact import exact_sum
from segspark.core.merit import best_lists
from segspark.core.stage import StageContext

SOLD_DAYS = 91  # before as_of in which best sellers are counted
CUTS = ("no action is worth its cost", "the budget ends", "no item in stock to show")  # in the order of the steps


@dataclass(frozen=True)
class Order:
    """What is to be planned: the campaign, what may be done for whom, and after which plans.

    `made` are the plans that were published before: whom they contacted is not contacted again by the same campaign,
    and whom they held out stays so.
    """

    campaign: Campaign
    strategies: Strategies
    config: CampaignsConfig
    suits: Mapping[str, list[str]]  # actions by segment
    segments: list[str]  # in the order of the rules' rows
    made: list[Planned]

    @property
    def recent(self) -> list[Planned]:
        """The published plans that are not long ago."""
        quiet, window = self.strategies.quiet_days, self.config.lift.attribution_days
        cool_downs = (action.cool_down_days for action in self.strategies.actions.values())
        return plans_in_mind(self.made, self.campaign, max(quiet, window, *cool_downs))

    @property
    def others_send(self) -> bool:
        """Whether another campaign may have contacts on the days of this one."""
        own, first_day = self.campaign.campaign_id, self.campaign.first_day
        return any(each.campaign_id != own and each.ends_on >= first_day for each in self.recent)


def published_plans(context: StageContext, order: Order) -> DataFrame:
    """The rows of recent published plans that count."""
    rows = context.lake.read_runs(CAMPAIGN_PLAN, {each.run_id for each in order.recent})
    plans = contacts_of(rows, order.recent, _outcomes(context))
    return plans.checkpoint() if order.recent else plans


def ask_everyone(context: StageContext, order: Order, plans: DataFrame) -> tuple[Asked, int]:
    """Who of the scheme may be contacted, and by which actions. Writes campaign_members of the run; returns its rows.

    `plans` are those of `published_plans`.
    """
    people, may_be_contacted = _people(context, order)
    campaign_id = order.campaign.campaign_id
    members = draw_members(
        people.where("may_be_contacted"),
        may_be_contacted,
        _known_members(context, order),
        campaign_id,
        order.config.holdout_share,
    )
    written = context.view.write(CAMPAIGN_MEMBERS, members.withColumn("campaign_id", F.lit(campaign_id)))
    audience = _audience(context, order, people, plans)
    held = context.view.frame(CAMPAIGN_MEMBERS).select("user_id", "holdout")
    asked = asked_of(audience, held, order.segments, campaign_id, context.run.seed)
    rows, told = checkpointed(asked, asked_counts(order.segments))
    worth = {name: float(value) for name, value in told.pop("worth").items() if value is not None}
    return Asked(rows, **told, worth=worth), written


def build_plan(
    context: StageContext, order: Order, asked: Asked, plans: DataFrame, rules: Rules
) -> tuple[dict[str, int], dict[str, Any]]:
    """Writes campaign_plan and campaigns of the run; returns the rows of each and that of campaigns.

    `rules`, without prices, are those that actions are chosen by; `plans` those of `published_plans`.
    """
    view = context.view
    if asked.open:
        written, cuts, totals = _plan(context, order, asked, plans, rules)
    else:
        written, cuts, totals = view.clear(CAMPAIGN_PLAN), {}, NOBODY
    told = _campaign(context, order, asked, cuts, totals)
    return {CAMPAIGN_PLAN.name: written, CAMPAIGNS.name: view.write_rows(CAMPAIGNS, [told])}, told


def _people(context: StageContext, order: Order) -> tuple[DataFrame, int]:
    """Users of the scheme with worth and the features that audiences go by; and how many may be contacted."""
    view, config = context.view, order.config
    members = view.frame(USER_SEGMENTS).where(F.col("scheme") == config.scheme).select("user_id", "segment_name")
    features = view.frame(USER_FEATURES).drop("user_bucket")
    people = find_people(features, members, context.lake.read(USERS), config.consent == "assumed")
    needed = {"user_id", "segment_name", "may_be_contacted", "aov"} | order.strategies.features()
    rows, told = checkpointed(people.select(*sorted(needed)), people_counts(order.segments))
    by_revenue = config.learning.objective == "revenue"
    priced = rows.withColumn("worth", F.lit(1.0)) if by_revenue else with_worth(rows, told["aov"])
    return priced, told["may_be_contacted"]


def _known_members(context: StageContext, order: Order) -> DataFrame:
    """Who was a member when the campaign was planned last; nobody where this is its first plan."""
    runs = [each.run_id for each in order.made if each.campaign_id == order.campaign.campaign_id]
    rows = context.lake.read_runs(CAMPAIGN_MEMBERS, runs[-1:])
    of_campaign = rows.where(F.col("campaign_id") == order.campaign.campaign_id)
    return of_campaign.select("user_id", "segment_name", "holdout")


def _outcomes(context: StageContext) -> DataFrame:
    return outcomes_before(context.lake.read(OUTCOMES), context.run)


def _audience(context: StageContext, order: Order, people: DataFrame, plans: DataFrame) -> DataFrame:
    campaign, outcomes = order.campaign, _outcomes(context)
    is_own = F.col("campaign_id") == campaign.campaign_id
    due = F.col("send_on") < F.lit(campaign.first_day)
    contacts = last_contacts(outcomes, plans.where(~is_own | due))
    contacted = plans.where(is_own & due).select("user_id")
    contacted = contacted.unionByName(outcomes.where(is_own & F.col("treated")).select("user_id"))
    window = order.config.lift.attribution_days if order.config.windows_apart else 0
    return find_audience(people, contacts, contacted, order.strategies, order.suits, campaign.first_day, window)


def _plan(
    context: StageContext, order: Order, asked: Asked, plans: DataFrame, rules: Rules
) -> tuple[int, dict[str, int], dict[str, Any]]:
    """Writes campaign_plan; returns its rows, how many users each step left out, and the sums of the contacts."""
    campaign, actions = order.campaign, list(order.strategies.actions)
    used = used_by_others(plans, campaign) if order.others_send else {}
    chosen = choose_for_everyone(asked.open_to, _priced(asked, order, rules, used))
    every, is_made = F.count(F.lit(1)), ~F.col("holdout")
    counts = {"all": every, "asking": count_each("action", actions, where=is_made)}
    wanted, wants = checkpointed(_named(chosen, order), counts)
    quotas = set_quotas(wants["asking"], order.strategies, campaign.days, used)
    steps = steps_of(wanted, wants["all"])
    fitting = cut_to_quotas(wanted, wants["asking"], quotas, campaign.first_day.isoformat(), steps)
    counts = {"all": every, "by_action": count_each("action", actions)}
    cut, fits = checkpointed(fitting, counts)
    planned, stays = checkpointed(_with_items(context, order, cut, plans, steps), counts | totals_of_contacts())
    short = actions_cut(fits["by_action"], stays["by_action"])
    short |= {action for action, count in wants["asking"].items() if count > sum(quotas[action])}
    plan = described(planned, asked.rows, order.strategies, order.suits, short)
    left = pairwise((asked.open, wants["all"], fits["all"], stays["all"]))
    cuts = {why: before - after for why, (before, after) in zip(CUTS, left, strict=True)}
    return context.view.write(CAMPAIGN_PLAN, plan), cuts, {name: stays[name] for name in NOBODY}


def _priced(asked: Asked, order: Order, rules: Rules, used: Used) -> Rules:
    """The rules with what budgets cost, told from a bounded sample of who may be contacted."""
    first = asked.open_to.where("NOT holdout").orderBy("tie", "user_id").limit(order.config.price_users)
    sample = first.select(*ASKED).toArrow()
    share = sample.num_rows / asked.asking if asked.asking else 1.0
    return with_prices(rules, sample, share, budgets_of(order.strategies, order.campaign.days, used))


def _named(wanted: DataFrame, order: Order) -> DataFrame:
    """The wanted contacts with their action by name."""
    names = F.array(*map(F.lit, order.strategies.actions))
    return wanted.withColumn("action", F.get(names, F.col("action_no"))).drop("action_no")


def _with_items(
    context: StageContext, order: Order, cut: DataFrame, plans: DataFrame, steps: Sequence[float]
) -> DataFrame:
    """The contacts as campaign_plan has them, but for the segment; without those that have no item to show."""
    actions, config = order.strategies.actions, order.config
    kinds = {name: action.items for name, action in actions.items() if action.items != "none"}
    plan = cut.withColumns(
        {
            "campaign_id": F.lit(order.campaign.campaign_id),
            "channel": of_action({name: action.channel for name, action in actions.items()}),
            "cost": of_action({name: float(action.cost) for name, action in actions.items()}),
        }
    )
    if not kinds:
        return plan.withColumn("items", F.lit(None).cast("array<string>"))
    showing = plan.withColumn("kind", of_action(kinds)).where(F.col("kind").isNotNull())
    open_contacts = still_selling(plans, order.campaign, config.lift.attribution_days)
    goods = without_promised(_goods(context), open_contacts, config.item_take)
    contacts = showing.select("user_id", "kind", "surplus", "tie", "holdout")
    offered = candidates(contacts, _own_lists(context), goods, 2 * config.items)
    items = within_stock(offered, config.items, config.item_take, steps)
    needs = F.col("action").isin(*kinds)
    return plan.join(items, on="user_id", how="left").where(~needs | F.col("items").isNotNull())


def _goods(context: StageContext) -> DataFrame:
    lake, as_of = context.lake, context.run.as_of
    recent = lake.read(ITEM_DAYS).where(F.col("day").between(F.lit(as_of - timedelta(days=SOLD_DAYS)), F.lit(as_of)))
    sold = recent.where(F.col("day") < F.lit(as_of)).groupBy("item_id")
    units = sold.agg(F.max("category").alias("category"), exact_sum(F.col("units")).alias("units"))
    return describe_items(lake.read(ITEMS), units, as_of.isoformat())


def _own_lists(context: StageContext) -> DataFrame:
    """user_id, item_id, rank: each user's recommendations by the method that was judged best of those they have."""
    lists = best_lists(context.view.frame(RECOMMENDATIONS), context.view.rows(RECOMMENDATION_METRICS))
    return lists.select("user_id", "item_id", "rank")


def _campaign(
    context: StageContext, order: Order, asked: Asked, cuts: Mapping[str, int], totals: Mapping[str, Any]
) -> dict[str, Any]:
    """The one row that sums the campaign up."""
    campaign, reasons = order.campaign, {**asked.left_out, **cuts}
    return {
        "campaign_id": campaign.campaign_id,
        "scheme": order.config.scheme,
        "planned_on": context.run.as_of,
        "starts_on": campaign.starts_on,
        "ends_on": campaign.ends_on,
        "holdout_share": order.config.holdout_share,
        "users": asked.users,
        **totals,
        "left_out": [{"reason": reason, "users": users} for reason, users in sorted(reasons.items()) if users],
    }
