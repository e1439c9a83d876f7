"""What the segments will want beside what there is: the rows of segment_demand."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from typing import TYPE_CHECKING, Any

from pyspark.sql import DataFrame
from pyspark.sql import functions as F

from segspark.campaigns.demand.backtest import Way, level_of
from segspark.campaigns.demand.forecasting import DAYS, OURS
from segspark.campaigns.demand.series import NO_CATEGORY, SERIES, kept_category
from segspark.campaigns.lookup import looked_up
from segspark.core.arrow_rows import Row
from segspark.core.exact import exact_sum, sum_of

if TYPE_CHECKING:
    from segspark.campaigns.config import DemandConfig

STOCK, CAMPAIGN = "stock", "campaign"  # whose units

Goods = tuple[str, str | None]  # what is sold, whoever buys it: a category and an item of it; None: the whole category
Level = tuple[str | None, str | None]  # category or item, the other being None


@dataclass(frozen=True)
class Short:
    """What the stock may not last for."""

    category: str
    item_id: str | None  # null: the whole category
    cover_days: float | None  # null where nobody wants any but by the campaign
    is_short: bool  # whether more is wanted in some week than there is

    def is_told(self, days: int) -> bool:
        """Whether a person should know, who is warned so many days before."""
        return self.is_short or (self.cover_days is not None and self.cover_days < days)

    def order(self) -> tuple[float, str, str]:
        """What lasts for the fewest days first."""
        return -1.0 if self.cover_days is None else self.cover_days, self.category, self.item_id or ""


def expected_units(forecasts: DataFrame, ways: Mapping[str, Way], as_of: date) -> DataFrame:
    """One row per series and week from `as_of`, each level in its way: expected_units, low, high, trend, and recent,
    what was sold of the series of late.

    A level that has no way is forecast by our model. low and high are null where the way has no points.
    """
    own = forecasts.where(F.col("origin") == F.lit(as_of)).withColumn("of", level_of())
    used = F.coalesce(looked_up({of: way.model for of, way in ways.items()}, "of", "string"), F.lit(OURS))
    below = looked_up({of: way.low for of, way in ways.items()}, "of", "double")
    above = looked_up({of: way.high for of, way in ways.items()}, "of", "double")
    low = F.greatest(F.lit(0.0), F.col("expected") + F.least(below, F.lit(0.0)) * F.col("level"))
    high = F.col("expected") + F.greatest(above, F.lit(0.0)) * F.col("level")
    return own.where(F.col("model") == used).select(
        *SERIES,
        "week",
        F.col("expected").alias("expected_units"),
        F.when(below.isNotNull(), low).alias("low"),
        F.when(above.isNotNull(), high).alias("high"),
        F.try_divide(F.col("following") - F.col("expected"), "expected").alias("trend"),
        "recent",
    )


def stock_of(items: DataFrame, categories: DataFrame, as_of: date) -> DataFrame:
    """Units at hand of each item, as `units_of_goods` takes them; null where the item does not tell.

    `items` has the columns of the table; those launched at or after `as_of` are not for sale yet. `categories` are
    those of `known_categories`.
    """
    is_on_sale = F.col("launch_time").isNull() | (F.to_date("launch_time") < F.lit(as_of))
    listed = items.where(is_on_sale).select("item_id", F.col("stock").cast("double").alias("units"))
    placed = listed.join(categories.select("item_id", "category"), on="item_id", how="left")
    return placed.withColumns({"what": F.lit(STOCK), "segment_name": F.lit(None).cast("string")})


def units_of_goods(rows: DataFrame, goods: Collection[Goods]) -> DataFrame:
    """`rows` (what, segment_name, category, item_id, units) added up by category, as the series name it, and by item.

    Of items those of `goods` alone, without their category; of categories one row each, without an item.
    """
    kept = sorted(category for category, item_id in goods if item_id is None)
    items = sorted(item_id for _, item_id in goods if item_id is not None)
    nothing, named = F.lit(None).cast("string"), F.coalesce("category", F.lit(NO_CATEGORY))
    of_category = F.struct(kept_category(named, named.isin(*kept)).alias("category"), nothing.alias("item_id"))
    of_item = F.when(F.col("item_id").isin(*items), F.struct(nothing.alias("category"), "item_id"))
    levels = F.explode(F.array_compact(F.array(of_category, of_item))).alias("goods")
    placed = rows.select("what", "segment_name", "units", levels).select("what", "segment_name", "units", "goods.*")
    summed = placed.groupBy("what", "segment_name", "category", "item_id")
    return summed.agg(exact_sum(F.col("units")).alias("units"))


def segment_demand(
    expected: Sequence[Row], units: Iterable[Row], starts_on: date, as_of: date, scheme: str
) -> list[dict[str, Any]]:
    """Rows of SEGMENT_DEMAND of one scheme, from collected rows of `expected_units` and `units_of_goods`.

    All that the campaign sells on top is wanted in the week of `starts_on`; a campaign that starts after the weeks of
    `expected` is in none of them. The stock lasts for as long as all segments want it at the mean rate of the forecast
    weeks; the campaign is left out of that rate, and counted in is_short. Both are null where the stock is, the first
    also where nobody wants any.
    """
    stock: dict[Level, float | None] = {}
    on_top: dict[tuple[str | None, Level], float] = {}
    for row in units:
        level = (row.category, row.item_id)
        if row.what == STOCK:
            stock[level] = row.units
        else:
            on_top[row.segment_name, level] = row.units
    busy_week = as_of + timedelta(weeks=max(0, (starts_on - as_of).days // DAYS))
    by_goods: dict[Goods, list[dict[str, Any]]] = defaultdict(list)
    for row in expected:
        level = _level((row.category, row.item_id))
        extra = on_top.get((row.segment_name, level), 0.0) if row.week == busy_week else 0.0
        by_goods[row.category, row.item_id].append({**row, "scheme": scheme, "campaign_units": extra})
    return [row for goods, rows in by_goods.items() for row in _with_stock(rows, stock.get(_level(goods)))]


def _with_stock(rows: list[dict[str, Any]], stock: float | None) -> list[dict[str, Any]]:
    """The rows of all segments and weeks of one category or item, with what the stock is to them."""
    weeks = sorted({row["week"] for row in rows})
    rate = (sum_of(row["expected_units"] for row in rows) or 0.0) / (len(weeks) * DAYS)
    sold = sum_of(row["recent"] for row in rows if row["week"] == weeks[0])
    wanted = {week: _wanted([row for row in rows if row["week"] <= week]) for week in weeks}
    return [
        row
        | {
            "stock": stock,
            "stock_cover_days": _ratio(stock, rate),
            "turnover": _ratio(sold, stock),
            "is_short": None if stock is None else wanted[row["week"]] > stock,
        }
        for row in rows
    ]


def _wanted(rows: Sequence[Mapping[str, Any]]) -> float:
    """By all segments together, with what the campaign sells."""
    return sum(sum_of(row[name] for row in rows) or 0.0 for name in ("expected_units", "campaign_units"))


def _ratio(amount: float | None, by: float | None) -> float | None:
    return None if amount is None or not by else amount / by


def _level(goods: Goods) -> Level:
    """As `units_of_goods` names what is sold."""
    category, item_id = goods
    return (category, None) if item_id is None else (None, item_id)


def running_out(demand: Iterable[Row], config: DemandConfig) -> list[Short]:
    """The categories and items of rows of segment_demand that are short in some week, or that last for less than
    `cover_warning_days`: what lasts for the fewest days first."""
    found: dict[tuple[str, str | None], Short] = {}
    for row in demand:
        goods = (row.category, row.item_id)
        was_short = goods in found and found[goods].is_short
        found[goods] = Short(*goods, row.stock_cover_days, was_short or bool(row.is_short))
    return sorted((each for each in found.values() if each.is_told(config.cover_warning_days)), key=Short.order)
