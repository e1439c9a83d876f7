"""The plan as its table has it, and what other plans take of the same days."""

from collections.abc import Mapping

from pyspark.sql import Column, DataFrame
from pyspark.sql import functions as F

from segspark.campaigns.catalogue import Strategies
from segspark.campaigns.history import Campaign
from segspark.core.exact import exact_sum

NOBODY = {"contacts": 0, "held_out": 0, "cost": 0.0, "expected_gain": 0.0}  # what no contacts add up to


def used_by_others(plans: DataFrame, campaign: Campaign) -> dict[tuple[str, int], tuple[int, float]]:
    """What other campaigns have planned on the days of this one: contacts and money by channel and day, collected.

    `plans` are rows of published plans that count. A few rows: channels times days.
    """
    is_other = (F.col("campaign_id") != campaign.campaign_id) & ~F.col("holdout")
    same_days = plans.where(is_other & F.col("send_on").between(F.lit(campaign.first_day), F.lit(campaign.ends_on)))
    contacts, money = F.count(F.lit(1)).alias("contacts"), exact_sum(F.col("cost")).alias("money")
    rows = same_days.groupBy("channel", "send_on").agg(contacts, money).collect()
    return {
        (row.channel, (row.send_on - campaign.first_day).days): (row.contacts, float(row.money or 0)) for row in rows
    }


def actions_cut(wanted: Mapping[str, int], planned: Mapping[str, int]) -> set[str]:
    """The actions of which some wanted contacts were dropped, from how many there are of each."""
    return {action for action, users in wanted.items() if planned.get(action, 0) < users}


def described(
    planned: DataFrame, asked: DataFrame, strategies: Strategies, suits: Mapping[str, list[str]], short: set[str]
) -> DataFrame:
    """The contacts as campaign_plan has them; `asked` has segment_name, worth and allowed of each user.

    Where an action was `short`, a budget or stock decided who got it, not the lots: of segments that it suits, no
    propensity is told.
    """
    known = asked.select("user_id", "segment_name", "worth", "allowed")
    names = F.array(*(F.when(F.col("allowed")[no], F.lit(name)) for no, name in enumerate(strategies.actions)))
    blurred = [segment for segment, actions in suits.items() if short & set(actions)]
    plan = planned.join(known, on="user_id", how="inner")
    return plan.withColumns(
        {
            "expected_uplift": (F.col("expected_gain") + F.col("cost")) / F.col("worth"),
            "propensity": F.when(~F.col("segment_name").isin(*blurred), F.col("propensity")),
            "allowed": F.sort_array(F.array_compact(names)),
        }
    )


def totals_of_contacts() -> dict[str, Column]:
    """What contacts (holdout, cost, expected_gain) add up to, as the row of campaigns has it."""
    is_made = ~F.col("holdout")
    sums = {name: exact_sum(F.when(is_made, F.col(name))) for name in ("cost", "expected_gain")}
    counts = {"contacts": F.count_if(is_made), "held_out": F.count_if("holdout")}
    return counts | {name: F.coalesce(total, F.lit(0.0)) for name, total in sums.items()}


def of_action(values: Mapping[str, str | float]) -> Column:
    """The value of each row's action."""
    entries = [F.lit(each) for pair in values.items() for each in pair]
    return F.create_map(*entries)[F.col("action")]
