"""Who bought how much of what on which day: the series that are forecast.

`series` is one row per series and day: segment_name, category, item_id (null: the whole category), day, units. Each
day from the shop's first on has a row. Its size follows from the configuration: segments x series x days.
"""

from __future__ import annotations

from datetime import date, timedelta
from typing import TYPE_CHECKING

from pyspark.sql import Column, DataFrame
from pyspark.sql import functions as F

from segspark.core.exact import amount, whole

if TYPE_CHECKING:
    from segspark.campaigns.config import DemandConfig

OTHERS = "others"  # the segment of buyers without one, and of guests
OTHER_CATEGORIES = "other categories"  # those beyond top_categories, added up
NO_CATEGORY = ""
TOP_DAYS = 91  # before as_of, in which best sellers are looked for
SERIES = ("segment_name", "category", "item_id")


def known_categories(orders: DataFrame, categories: DataFrame, as_of: date) -> DataFrame:
    """item_id and category of every item that has one: the one of `categories` (item_id, category), else the newest of
    the orders before `as_of`."""
    told = orders.where((F.col("day") < F.lit(as_of)) & F.col("category").isNotNull() & F.col("item_id").isNotNull())
    newest = F.max_by("category", F.struct("order_time", "category")).alias("logged")
    listed = categories.select("item_id", F.col("category").alias("listed"))
    both = told.groupBy("item_id").agg(newest).join(listed, on="item_id", how="full")
    return both.select("item_id", F.coalesce("listed", "logged").alias("category")).where("category IS NOT NULL")


def sold_units(
    orders: DataFrame, categories: DataFrame, members: DataFrame, config: DemandConfig, as_of: date
) -> DataFrame:
    """One row per segment, category, item and day with paid lines: segment_name, category, item_id, day, wholes.

    `orders` has the columns of the log, `categories` those of `known_categories`, `members` user_id and segment_name,
    each user once. `wholes` are units in ten-thousandths. The category is an empty text where there is none.
    """
    first = as_of - timedelta(weeks=config.history_weeks)
    lines = orders.where((F.col("day") < F.lit(as_of)) & (F.col("day") >= F.lit(first)))
    paid = lines.where(F.col("status") == "paid").select(
        "user_id", "item_id", "day", whole(F.col("quantity")).alias("wholes")
    )
    placed = paid.join(members.select("user_id", "segment_name"), on="user_id", how="left")
    placed = placed.join(categories.select("item_id", "category"), on="item_id", how="left")
    segment = F.coalesce("segment_name", F.lit(OTHERS)).alias("segment_name")
    category = F.coalesce("category", F.lit(NO_CATEGORY)).alias("category")
    return placed.groupBy(segment, category, "item_id", "day").agg(F.sum("wholes").alias("wholes"))


def daily_units(sold: DataFrame, members: DataFrame, config: DemandConfig, as_of: date) -> DataFrame:
    """The series of `sold`, which is read several times: a checkpoint serves best. Every segment has all of them.

    The best sellers are the `top_items` by units in the 91 days before `as_of`, ties by name; likewise categories.
    """
    top_items = _top(sold, ["item_id", "category"], config.top_items, as_of)
    top_categories = _top(sold, ["category"], config.top_categories, as_of)
    of_categories = _by_kept_category(sold, top_categories)
    of_items = sold.join(F.broadcast(top_items), on=["item_id", "category"], how="left_semi")
    found = _series_of(of_categories).unionByName(_series_of(of_items))
    segments = members.select("segment_name").union(sold.select("segment_name")).distinct()
    kept = found.select("category", "item_id").distinct()
    empty = segments.crossJoin(F.broadcast(kept)).crossJoin(F.broadcast(_days(sold, as_of)))
    filled = found.unionByName(empty.withColumn("wholes", F.lit(0).cast("bigint")))
    return filled.groupBy(*SERIES, "day").agg(amount(F.sum("wholes")).alias("units"))


def kept_category(category: Column, is_kept: Column) -> Column:
    """The category as the series name it."""
    return F.when(is_kept, category).otherwise(F.lit(OTHER_CATEGORIES))


def _top(sold: DataFrame, names: list[str], count: int, as_of: date) -> DataFrame:
    recent = sold.where(F.col("day") >= F.lit(as_of - timedelta(days=TOP_DAYS)))
    known = recent.where(F.col(names[0]).isNotNull())
    by_units = known.groupBy(*names).agg(F.sum("wholes").alias("wholes")).where(F.col("wholes") > 0)
    return by_units.orderBy(F.desc("wholes"), *names).limit(count).select(*names)


def _by_kept_category(sold: DataFrame, top_categories: DataFrame) -> DataFrame:
    marked = F.broadcast(top_categories.withColumn("is_kept", F.lit(True)))
    joined = sold.join(marked, on="category", how="left")
    category = kept_category(F.col("category"), F.col("is_kept").isNotNull())
    return joined.withColumn("category", category).withColumn("item_id", F.lit(None).cast("string"))


def _series_of(sold: DataFrame) -> DataFrame:
    return sold.groupBy(*SERIES, "day").agg(F.sum("wholes").alias("wholes"))


def _days(sold: DataFrame, as_of: date) -> DataFrame:
    """Each day from the first with a sale to the day before `as_of`; none where nothing was ever sold."""
    first = sold.agg(F.min("day").alias("first")).where(F.col("first").isNotNull())
    return first.select(F.explode(F.sequence("first", F.lit(as_of - timedelta(days=1)))).alias("day"))
