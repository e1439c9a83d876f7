"""All of the forecasting that knows the lake: what segments will want, beside what there is."""

from pyspark.sql import DataFrame, Row
from pyspark.sql import functions as F

from segspark.campaigns.config import CampaignsConfig, DemandConfig
from segspark.campaigns.demand.backtest import demand_accuracy, error_points, forecasts_of, origins_of
from segspark.campaigns.demand.cover import campaign_units_of, expected_units, running_out, segment_demand, stock_of
from segspark.campaigns.demand.series import daily_units, known_categories, sold_units
from segspark.campaigns.history import Campaign
from segspark.core.contracts import (
    CAMPAIGN_PLAN,
    DEMAND_ACCURACY,
    ITEMS,
    ORDERS,
    SEGMENT_DEMAND,
    USER_SEGMENTS,
    frame_of,
)
from segspark.core.exact import exact_sum
from segspark.core.stage import StageContext

TOLD = 5  # categories in a note
NO_ORDERS = "segment_demand is empty: nothing was sold; the source orders would bring it"


def write_demand(
    context: StageContext, config: CampaignsConfig, campaign: Campaign
) -> tuple[dict[str, int], list[str]]:
    """Writes segment_demand and demand_accuracy of the run; returns rows and notes."""
    lake, run, demand = context.lake, context.run, config.demand
    orders = lake.read(ORDERS).where((F.col("ingest_seq") <= run.ingest_seq) & (F.col("day") < F.lit(run.as_of)))
    if orders.where("status = 'paid'").isEmpty():
        empty = {each: frame_of(lake.spark, each, []) for each in (SEGMENT_DEMAND, DEMAND_ACCURACY)}
        return {each.name: lake.replace_run(each, rows, run.run_id) for each, rows in empty.items()}, [NO_ORDERS]
    items = lake.read(ITEMS)
    categories = known_categories(orders, items.select("item_id", "category"), run.as_of).checkpoint()
    sold = sold_units(orders, categories, _members(context, config), demand, run.as_of).checkpoint()
    series = daily_units(sold, _members(context, config), demand, run.as_of).checkpoint()
    forecasts = forecasts_of(series, origins_of(demand, run.as_of), demand.weeks, run.as_of).checkpoint()
    accuracy = demand_accuracy(forecasts, config.scheme)
    rows = {DEMAND_ACCURACY.name: lake.replace_run(DEMAND_ACCURACY, accuracy, run.run_id)}
    judged = lake.read_run(DEMAND_ACCURACY, run.run_id)
    expected = expected_units(forecasts, judged, error_points(forecasts), run.as_of).checkpoint()
    on_top = campaign_units_of(_campaign(context, categories, config), expected, campaign.first_day, run.as_of)
    stock = stock_of(items, categories, expected, run.as_of)
    told = segment_demand(expected, stock, on_top, series, config.scheme, run.as_of)
    rows[SEGMENT_DEMAND.name] = lake.replace_run(SEGMENT_DEMAND, told, run.run_id)
    return rows, _notes(lake.read_run(SEGMENT_DEMAND, run.run_id), demand)


def _members(context: StageContext, config: CampaignsConfig) -> DataFrame:
    rows = context.lake.read_run(USER_SEGMENTS, context.run.run_id)
    return rows.where(F.col("scheme") == config.scheme).select("user_id", "segment_name")


def _campaign(context: StageContext, categories: DataFrame, config: CampaignsConfig) -> DataFrame:
    """What the plan should sell on top: segment_name, category, item_id, units.

    Each conversion that a contact brings is one unit, spread evenly over the items that the contact shows; where the
    strategy goes by revenue, what each item brings is as many units as that buys at its price. Contacts without items,
    and items without a price, sell something, but nobody knows how much of what.
    """
    plan = context.lake.read_run(CAMPAIGN_PLAN, context.run.run_id).where("NOT holdout AND items IS NOT NULL")
    share = F.greatest("expected_uplift", F.lit(0.0)) / F.size("items")
    shown = plan.select("segment_name", share.alias("units"), F.explode("items").alias("item_id"))
    placed = shown.join(categories.select("item_id", "category"), on="item_id", how="left")
    if config.learning.objective == "revenue":
        prices = context.lake.read(ITEMS).where("price > 0").select("item_id", "price")
        placed = placed.join(prices, on="item_id", how="inner").withColumn("units", F.col("units") / F.col("price"))
    return placed.groupBy("segment_name", "category", "item_id").agg(exact_sum(F.col("units")).alias("units"))


def _notes(demand: DataFrame, config: DemandConfig) -> list[str]:
    """Which categories the stock will not last for, and which the campaign empties."""
    short = running_out(demand, config).where(F.col("item_id").isNull()).orderBy("stock_cover_days", "category")
    told = [f"{row.category or 'all goods'} ({_days(row)})" for row in short.limit(TOLD).collect()]
    return [f"stock is short of: {', '.join(told)}"] if told else []


def _days(row: Row) -> str:
    days = "wanted by nobody" if row.stock_cover_days is None else f"{row.stock_cover_days:.0f} days"
    return f"{days}, less than is wanted" if row.is_short else days
