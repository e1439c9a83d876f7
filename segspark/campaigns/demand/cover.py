"""What the segments will want beside what there is: the rows of segment_demand."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import date, timedelta
from functools import reduce
from typing import TYPE_CHECKING

from pyspark.sql import Column, DataFrame, Window, WindowSpec
from pyspark.sql import functions as F

from segspark.campaigns.demand.backtest import Way, level_of
from segspark.campaigns.demand.forecasting import DAYS, OURS
from segspark.campaigns.demand.series import NO_CATEGORY, SERIES, kept_category
from segspark.campaigns.lookup import looked_up
from segspark.core.arrow_rows import Row
from segspark.core.campaign_tables import SEGMENT_DEMAND
from segspark.core.contract import conform
from segspark.core.exact import amount, exact_sum, whole

if TYPE_CHECKING:
    from segspark.campaigns.config import DemandConfig

TURNOVER_DAYS = 28  # before as_of
GOODS = ("category", "item_id")  # what is sold, whoever buys it


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
    """One row per series and week from `as_of`: expected_units, low, high, trend, each level in its way.

    A level that has none is forecast by our model. low and high are null where the way has no points.
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
    )


def stock_of(items: DataFrame, categories: DataFrame, expected: DataFrame, as_of: date) -> DataFrame:
    """Units at hand of each category and item of `expected`: category, item_id, stock; null where no item tells.

    `items` has the columns of the table; those launched at or after `as_of` are not for sale yet. `categories` are
    those of `known_categories`.
    """
    is_on_sale = F.col("launch_time").isNull() | (F.to_date("launch_time") < F.lit(as_of))
    listed = items.where(is_on_sale).select("item_id", F.col("stock").cast("double").alias("units"))
    placed = listed.join(categories.select("item_id", "category"), on="item_id", how="left")
    return _on_both_levels(placed, expected, by=()).withColumnRenamed("units", "stock")


def campaign_units_of(campaign: DataFrame, expected: DataFrame, starts_on: date, as_of: date) -> DataFrame:
    """What the campaign sells on top: segment_name, category, item_id, week, campaign_units.

    `campaign` has segment_name, category, item_id and units, which add up: a row with an item counts for its category
    too, a row without one for the category only. All of it is wanted in the week of `starts_on`; a campaign that
    starts after the weeks of `expected` is in none of them.
    """
    week = as_of + timedelta(weeks=max(0, (starts_on - as_of).days // DAYS))
    summed = _on_both_levels(campaign, expected, by=("segment_name",)).withColumnRenamed("units", "campaign_units")
    return summed.withColumn("week", F.lit(week))


def segment_demand(
    expected: DataFrame, stock: DataFrame, campaign_units: DataFrame, series: DataFrame, scheme: str, as_of: date
) -> DataFrame:
    """SEGMENT_DEMAND of one scheme from the frames of the functions above and `series`.

    The stock lasts for as long as all segments want it at the mean rate of the forecast weeks; the campaign is left
    out of that rate, and counted in is_short. Both are null where the stock is, the first also where nobody wants any.
    """
    recent = series.where(F.col("day") >= F.lit(as_of - timedelta(days=TURNOVER_DAYS)))
    sold = recent.groupBy(*GOODS).agg(exact_sum(F.col("units")).alias("sold"))
    told = _join(_join(expected, campaign_units, (*SERIES, "week")), stock, GOODS)
    rows = _join(told, sold, GOODS).withColumn("campaign_units", F.coalesce("campaign_units", F.lit(0.0)))
    all_weeks, so_far = Window.partitionBy(*GOODS), Window.partitionBy(*GOODS).orderBy("week")
    rate = _total("expected_units", all_weeks) / (_weeks(all_weeks) * F.lit(DAYS))
    wanted = _total("expected_units", so_far) + _total("campaign_units", so_far)
    demand = rows.withColumns(
        {
            "scheme": F.lit(scheme),
            "stock_cover_days": F.try_divide("stock", rate),
            "turnover": F.try_divide("sold", "stock"),
            "is_short": wanted > F.col("stock"),
        }
    )
    return conform(demand, SEGMENT_DEMAND)


def running_out(demand: Iterable[Row], config: DemandConfig) -> list[Short]:
    """The categories and items of rows of segment_demand that are short in some week, or that last for less than
    `cover_warning_days`: what lasts for the fewest days first."""
    found: dict[tuple[str, str | None], Short] = {}
    for row in demand:
        goods = (row.category, row.item_id)
        was_short = goods in found and found[goods].is_short
        found[goods] = Short(*goods, row.stock_cover_days, was_short or bool(row.is_short))
    return sorted((each for each in found.values() if each.is_told(config.cover_warning_days)), key=Short.order)


def _total(name: str, window: WindowSpec) -> Column:
    """The sum over the window's rows and, with an order, all rows of the same week: exact, so in any order."""
    return amount(F.sum(whole(F.col(name))).over(window))


def _weeks(window: WindowSpec) -> Column:
    return F.size(F.collect_set("week").over(window))


def _on_both_levels(rows: DataFrame, expected: DataFrame, by: tuple[str, ...]) -> DataFrame:
    """`rows` (category, item_id, units) added up by category, as the series name it, and by item: only those that
    `expected` has."""
    goods = expected.select(*GOODS).distinct()
    kept = goods.where(F.col("item_id").isNull()).select("category", F.lit(True).alias("is_kept"))
    named = rows.withColumn("category", F.coalesce("category", F.lit(NO_CATEGORY)))
    marked = named.join(kept, on="category", how="left")
    category = kept_category(F.col("category"), F.col("is_kept").isNotNull()).alias("category")
    units = exact_sum(F.col("units")).alias("units")
    by_category = marked.groupBy(*by, category).agg(units).withColumn("item_id", F.lit(None).cast("string"))
    items = goods.where(F.col("item_id").isNotNull())
    by_item = rows.drop("category").join(items, on="item_id", how="inner").groupBy(*by, *GOODS).agg(units)
    return by_category.unionByName(by_item)


def _join(left: DataFrame, right: DataFrame, names: tuple[str, ...]) -> DataFrame:
    """A left join in which a null equals a null."""
    renamed = right.withColumnsRenamed({name: f"other_{name}" for name in names})
    same: list[Column] = [F.col(name).eqNullSafe(F.col(f"other_{name}")) for name in names]
    return left.join(renamed, on=reduce(Column.__and__, same), how="left").drop(*(f"other_{name}" for name in names))
