"""From a run's campaign tables to the rows that the report shows; nothing has the size of the users."""

from pyspark.sql import DataFrame
from pyspark.sql import functions as F

from segspark.core.exact import exact_sum

GROUP = ("campaign_id", "segment_name", "action", "channel")


def planned_actions(plan: DataFrame) -> DataFrame:
    """One row per campaign, segment, action and channel: contacts, held_out; of the contacts cost, gain and days."""
    is_made = ~F.col("holdout")
    made = {name: F.when(is_made, F.col(name)) for name in ("cost", "expected_gain", "send_on")}
    return plan.groupBy(*GROUP).agg(
        F.count_if(is_made).alias("contacts"),
        F.count_if("holdout").alias("held_out"),
        exact_sum(made["cost"]).alias("cost"),
        exact_sum(made["expected_gain"]).alias("expected_gain"),
        F.min(made["send_on"]).alias("first_day"),
        F.max(made["send_on"]).alias("last_day"),
    )


def with_starts(lifts: DataFrame, campaigns: DataFrame) -> DataFrame:
    """The lifts with the first day of their campaign; null where no run planned it."""
    starts = campaigns.groupBy("campaign_id").agg(F.max("starts_on").alias("starts_on"))
    return lifts.join(F.broadcast(starts), on="campaign_id", how="left")


def demand_by_week(demand: DataFrame, bought: DataFrame, items: DataFrame, min_group: int) -> DataFrame:
    """One row per category, item (null for the whole category) and week, of all segments.

    None of what some bought, but fewer than that: `bought` is segment_categories, `items` is item_facts.
    """
    of_category = bought.groupBy("scheme", "category").agg(F.sum("buyers").alias("category_buyers"))
    of_item = items.select("item_id", F.col("buyers").alias("item_buyers"))
    known = demand.join(F.broadcast(of_category), on=["scheme", "category"], how="left")
    known = known.join(of_item, on="item_id", how="left")
    buyers = F.when(F.col("item_id").isNull(), F.col("category_buyers")).otherwise(F.col("item_buyers"))
    shown = known.where(buyers.isNull() | (buyers >= min_group))
    return shown.groupBy("category", "item_id", "week").agg(
        exact_sum(F.col("expected_units")).alias("expected_units"),
        exact_sum(F.col("campaign_units")).alias("campaign_units"),
        F.max("stock").alias("stock"),
        F.min("stock_cover_days").alias("stock_cover_days"),
        F.bool_or("is_short").alias("is_short"),
    )
