"""All of the planning that knows the lake: who gets which action on which day, and who is held out."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import timedelta
from itertools import pairwise
from typing import Any

import numpy as np
from pyspark.sql import DataFrame
from pyspark.sql import functions as F

from segspark.campaigns.catalogue import Strategies
from segspark.campaigns.config import CampaignsConfig
from segspark.campaigns.history import Campaign, Planned, contacts_of, outcomes_before, plans_in_mind
from segspark.campaigns.planning.assigning import ASKED, choose_for_everyone, with_prices
from segspark.campaigns.planning.audience import find_audience, last_contacts
from segspark.campaigns.planning.choosing import Rules
from segspark.campaigns.planning.cutting import cut_to_quotas
from segspark.campaigns.planning.describing import actions_cut, count_by, described, of_action, used_by_others
from segspark.campaigns.planning.draws import uniform
from segspark.campaigns.planning.holdout import draw_members
from segspark.campaigns.planning.offers import candidates, describe_items, still_selling, within_stock, without_promised
from segspark.campaigns.planning.people import find_people
from segspark.campaigns.planning.prices import Budget
from segspark.campaigns.planning.quotas import Used, set_quotas
from segspark.campaigns.planning.ranking import steps_of
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
    frame_of,
)
from segspark.core.exact import exact_sum
from segspark.core.merit import best_lists
from segspark.core.stage import StageContext

SOLD_DAYS = 91  # before as_of in which best sellers are counted
CUTS = ("no action is worth its cost", "the budget ends", "no item in stock to show")  # in the order of the steps


@dataclass(frozen=True)
class Order:
    """What is to be planned: the campaign, what may be done for whom, and by which rules actions are chosen."""

    campaign: Campaign
    strategies: Strategies
    config: CampaignsConfig
    suits: Mapping[str, list[str]]  # actions by segment
    segments: list[str]  # in the order of the rules' rows
    rules: Rules  # without prices


def build_plan(
    context: StageContext, order: Order, people: DataFrame, made: list[Planned]
) -> tuple[dict[str, int], dict[str, Any]]:
    """Writes campaign_members, campaign_plan and campaigns of the run; returns the rows of each and that of campaigns.

    `people` are those of `people_of`. `made` are the plans that were published before: whom they contacted is not
    contacted again by the same campaign, and whom they held out stays so.
    """
    lake, run = context.lake, context.run
    plans = _plans(context, order, made)
    members = draw_members(
        people.where("may_be_contacted").select("user_id", "segment_name"),
        _known_members(context, order.campaign.campaign_id, made),
        order.campaign.campaign_id,
        order.config.holdout_share,
    ).withColumn("campaign_id", F.lit(order.campaign.campaign_id))
    rows = {CAMPAIGN_MEMBERS.name: lake.replace_run(CAMPAIGN_MEMBERS, members, run.run_id)}
    held = lake.read_run(CAMPAIGN_MEMBERS, run.run_id).select("user_id", "holdout")
    # Cut off from what they came from, not only kept: each later query is planned in a fraction of the time, and Spark
    # would plan kept frames anew when a table that they read is written.
    asked = _asked(context, order, people, held, plans).checkpoint()
    reasons = {row.left_out: row.users for row in count_by(asked, "left_out").collect()}
    users, contactable = sum(reasons.values()), reasons.pop(None, 0)
    used = used_by_others(plans, order.campaign)
    open_to = asked.where(F.col("left_out").isNull())
    chosen = choose_for_everyone(open_to, _priced(open_to, order, used))
    wanted = _named(chosen, order).checkpoint()
    asking = {row.action: row.users for row in count_by(wanted.where("NOT holdout"), "action").collect()}
    quotas = set_quotas(asking, order.strategies, order.campaign.days, used)
    many = wanted.count()
    steps = steps_of(wanted, many)
    first_day = order.campaign.first_day.isoformat()
    cut = cut_to_quotas(wanted, asking, quotas, first_day, steps).checkpoint()
    planned = _with_items(context, order, cut, plans, steps).checkpoint()
    left = pairwise((contactable, many, cut.count(), planned.count()))
    reasons |= {why: before - after for why, (before, after) in zip(CUTS, left, strict=True)}
    short = actions_cut(cut, planned) | {action for action, count in asking.items() if count > sum(quotas[action])}
    plan = described(planned, asked, order.strategies, order.suits, short)
    rows[CAMPAIGN_PLAN.name] = lake.replace_run(CAMPAIGN_PLAN, plan, run.run_id)
    told = _campaign(context, order, users, reasons)
    rows[CAMPAIGNS.name] = lake.replace_run(CAMPAIGNS, frame_of(lake.spark, CAMPAIGNS, [told]), run.run_id)
    return rows, told


def people_of(context: StageContext, config: CampaignsConfig, strategies: Strategies) -> DataFrame:
    """Users of the scheme as `find_people` gives them, with the features alone that audiences go by."""
    lake, run = context.lake, context.run
    members = lake.read_run(USER_SEGMENTS, run.run_id).where(F.col("scheme") == config.scheme)
    features = lake.read_run(USER_FEATURES, run.run_id).drop("user_bucket")
    members = members.select("user_id", "segment_name")
    people = find_people(features, members, lake.read(USERS), config.consent == "assumed")
    if config.learning.objective == "revenue":
        people = people.withColumn("worth", F.lit(1.0))
    needed = {"user_id", "segment_name", "may_be_contacted", "worth"} | strategies.features()
    return people.select(*sorted(needed)).checkpoint()


def _known_members(context: StageContext, campaign_id: str, made: list[Planned]) -> DataFrame:
    """Who was a member when the campaign was planned last; nobody where this is its first plan."""
    runs = [each.run_id for each in made if each.campaign_id == campaign_id]
    rows = context.lake.read_run(CAMPAIGN_MEMBERS, runs[-1] if runs else "")
    return rows.where(F.col("campaign_id") == campaign_id).select("user_id", "segment_name", "holdout")


def _outcomes(context: StageContext) -> DataFrame:
    return outcomes_before(context.lake.read(OUTCOMES), context.run)


def _plans(context: StageContext, order: Order, made: list[Planned]) -> DataFrame:
    """The rows of published plans that count and are not long ago."""
    actions = order.strategies.actions.values()
    days = max(
        order.strategies.quiet_days, order.config.lift.attribution_days, *(action.cool_down_days for action in actions)
    )
    recent = plans_in_mind(made, order.campaign, days)
    return contacts_of(context.lake.read(CAMPAIGN_PLAN), recent, _outcomes(context)).checkpoint()


def _asked(context: StageContext, order: Order, people: DataFrame, held: DataFrame, plans: DataFrame) -> DataFrame:
    """ASKED with segment_name and left_out: one row per user of the scheme."""
    run, campaign, outcomes = context.run, order.campaign, _outcomes(context)
    is_own = F.col("campaign_id") == campaign.campaign_id
    due = F.col("send_on") < F.lit(campaign.first_day)
    contacts = last_contacts(outcomes, plans.where(~is_own | due))
    contacted = plans.where(is_own & due).select("user_id")
    contacted = contacted.unionByName(outcomes.where(is_own & F.col("treated")).select("user_id"))
    window = order.config.lift.attribution_days if order.config.windows_apart else 0
    found = find_audience(people, contacts, contacted, order.strategies, order.suits, campaign.first_day, window)
    numbers = F.create_map(*(each for no, name in enumerate(order.segments) for each in (F.lit(name), F.lit(no))))
    key = (campaign.campaign_id, str(run.seed))
    return found.join(held, on="user_id", how="left").select(
        "user_id",
        "segment_name",
        "left_out",
        numbers[F.col("segment_name")].alias("segment_no"),
        "worth",
        "allowed",
        F.coalesce("holdout", F.lit(False)).alias("holdout"),
        *(uniform(purpose, *key, F.col("user_id")).alias(purpose) for purpose in ("lane", "draw", "tie")),
    )


def _priced(open_to: DataFrame, order: Order, used: Used) -> Rules:
    """The rules with what budgets cost, told from a bounded sample of who may be contacted."""
    days, strategies = order.campaign.days, order.strategies
    taken = {name: [each for (channel, _), each in used.items() if channel == name] for name in strategies.channels}
    asks = open_to.where("NOT holdout")
    users = asks.count()
    sample = asks.orderBy("tie", "user_id").limit(order.config.price_users).select(*ASKED).collect()
    through = np.array([action.channel for action in strategies.actions.values()])
    budgets = [
        Budget(
            through == name,
            max(0.0, float(channel.contacts_per_day * days - sum(contacts for contacts, _ in taken[name]))),
            max(0.0, channel.money_per_day * days - sum(money for _, money in taken[name])),
        )
        for name, channel in strategies.channels.items()
    ]
    return with_prices(order.rules, sample, len(sample) / users if users else 1.0, budgets)


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
    offered = candidates(showing.select("user_id", "kind"), _own_lists(context), goods)
    contacts = showing.select("user_id", "surplus", "tie", "holdout")
    items = within_stock(contacts, offered, goods, config.items, config.item_take, steps)
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


def _campaign(context: StageContext, order: Order, users: int, reasons: Mapping[str, int]) -> dict[str, Any]:
    """The one row that sums the campaign up."""
    campaign, is_made = order.campaign, ~F.col("holdout")
    totals = context.lake.read_run(CAMPAIGN_PLAN, context.run.run_id).agg(
        F.count_if(is_made).alias("contacts"),
        F.count_if("holdout").alias("held_out"),
        *(F.coalesce(exact_sum(F.when(is_made, F.col(n))), F.lit(0.0)).alias(n) for n in ("cost", "expected_gain")),
    )
    return {
        "campaign_id": campaign.campaign_id,
        "scheme": order.config.scheme,
        "planned_on": context.run.as_of,
        "starts_on": campaign.starts_on,
        "ends_on": campaign.ends_on,
        "holdout_share": order.config.holdout_share,
        "users": users,
        **totals.collect()[0].asDict(),
        "left_out": [(reason, users) for reason, users in sorted(reasons.items()) if users],
    }
