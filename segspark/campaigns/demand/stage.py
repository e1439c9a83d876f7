"""All of the forecasting that knows the lake: what segments will want, beside what there is."""

from pyspark.sql import DataFrame
from pyspark.sql import functions as F

from segspark.campaigns.config import CampaignsConfig, DemandConfig
from segspark.campaigns.demand.backtest import demand_accuracy, forecasts_of, judge, origins_of, ways_of
from segspark.campaigns.demand.cover import (
    CAMPAIGN,
    Short,
    expected_units,
    running_out,
    segment_demand,
    stock_of,
    units_of_goods,
)
from segspark.campaigns.demand.series import daily_units, known_categories, order_lines, sold_units
from segspark.campaigns.history import Campaign
from segspark.core.arrow_rows import Row, from_arrow
from segspark.core.checkpoints import checkpointed
from segspark.core.contracts import (
    CAMPAIGN_PLAN,
    DEMAND_ACCURACY,
    ITEMS,
    ORDERS,
    SEGMENT_DEMAND,
    USER_SEGMENTS,
)
from segspark.core.exact import exact_sum
from segspark.core.stage import StageContext

TOLD = 5  # categories in a note
NO_ORDERS = "segment_demand is empty: nothing was sold; the source orders would bring it"


def write_demand(
    context: StageContext, config: CampaignsConfig, campaign: Campaign
) -> tuple[dict[str, int], list[str]]:
    """Writes segment_demand and demand_accuracy of the run; returns rows and notes."""
    lake, run, view, demand = context.lake, context.run, context.view, config.demand
    if lake.is_empty(ORDERS):
        return _nothing(context)
    members = view.frame(USER_SEGMENTS).where(F.col("scheme") == config.scheme).select("user_id", "segment_name")
    seen = lake.read(ORDERS).where(F.col("ingest_seq") <= run.ingest_seq)
    lines, told = checkpointed(order_lines(seen, members, demand, run.as_of), {"first": F.min("day")})
    if told["first"] is None:
        return _nothing(context)
    items = lake.read(ITEMS)
    categories = known_categories(lines, items.select("item_id", "category"))
    series = daily_units(sold_units(lines, categories).checkpoint(), members, demand, run.as_of)
    origins = origins_of(demand, run.as_of)
    forecasts = forecasts_of(series, told["first"], origins, demand.weeks, run.as_of).checkpoint()
    judged = judge(forecasts).collect()
    rows = {DEMAND_ACCURACY.name: view.write_rows(DEMAND_ACCURACY, demand_accuracy(judged, config.scheme))}
    expected = from_arrow(expected_units(forecasts, ways_of(judged), run.as_of).toArrow())
    on_top = _campaign(context, categories, config).withColumn("what", F.lit(CAMPAIGN))
    goods = {(row.category, row.item_id) for row in expected}
    units = units_of_goods(stock_of(items, categories, run.as_of).unionByName(on_top), goods)
    wanted = segment_demand(expected, from_arrow(units.toArrow()), campaign.first_day, run.as_of, config.scheme)
    rows[SEGMENT_DEMAND.name] = view.write_rows(SEGMENT_DEMAND, wanted)
    return rows, _notes(view.rows(SEGMENT_DEMAND), demand)


def _nothing(context: StageContext) -> tuple[dict[str, int], list[str]]:
    return {each.name: context.view.clear(each) for each in (SEGMENT_DEMAND, DEMAND_ACCURACY)}, [NO_ORDERS]


def _campaign(context: StageContext, categories: DataFrame, config: CampaignsConfig) -> DataFrame:
    """What the plan should sell on top: segment_name, category, item_id, units.

    Each conversion that a contact brings is one unit, spread evenly over the items that the contact shows; where the
    strategy goes by revenue, what each item brings is as many units as that buys at its price. Contacts without items,
    and items without a price, sell something, but nobody knows how much of what.
    """
    plan = context.view.frame(CAMPAIGN_PLAN).where("NOT holdout AND items IS NOT NULL")
    share = F.greatest("expected_uplift", F.lit(0.0)) / F.size("items")
    shown = plan.select("segment_name", share.alias("units"), F.explode("items").alias("item_id"))
    placed = shown.join(categories.select("item_id", "category"), on="item_id", how="left")
    if config.learning.objective == "revenue":
        prices = context.lake.read(ITEMS).where("price > 0").select("item_id", "price")
        placed = placed.join(prices, on="item_id", how="inner").withColumn("units", F.col("units") / F.col("price"))
    return placed.groupBy("segment_name", "category", "item_id").agg(exact_sum(F.col("units")).alias("units"))


def _notes(demand: list[Row], config: DemandConfig) -> list[str]:
    """Which categories the stock will not last for, and which the campaign empties."""
    short = [each for each in running_out(demand, config) if each.item_id is None]
    told = [f"{each.category or 'all goods'} ({_days(each)})" for each in short[:TOLD]]
    return [f"stock is short of: {', '.join(told)}"] if told else []


def _days(short: Short) -> str:
    days = "wanted by nobody" if short.cover_days is None else f"{short.cover_days:.0f} days"
    return f"{days}, less than is wanted" if short.is_short else days
