"""Who bought how much of what on which day: the series that are forecast.

`series` is one row per series and day with a sale: segment_name, category, item_id (null: the whole category), day,
units; and one per series without a day, so that who never bought of it has the series, too. Its size follows from the
configuration: segments x series x days at most.
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


def order_lines(orders: DataFrame, members: DataFrame, config: DemandConfig, as_of: date) -> DataFrame:
    """The one pass over the orders before `as_of`: segment_name, item_id, logged, day, wholes, last_at.

    One row per segment, item, category as the log has it and day with paid lines of the history, and one per item and
    category, without segment and day, for all other lines, which tell nothing but the category. `orders` has the
    columns of the log, `members` user_id and segment_name, each user once. `wholes` are units in ten-thousandths,
    `last_at` is when such a line came last. Every sum has a fixed width, so that Spark adds up by hash, without a sort.
    """
    first = as_of - timedelta(weeks=config.history_weeks)
    is_sold = (F.col("status") == "paid") & (F.col("day") >= F.lit(first))
    lines = orders.where(F.col("day") < F.lit(as_of)).select(
        "user_id",
        "item_id",
        F.col("category").alias("logged"),
        F.when(is_sold, F.col("day")).alias("day"),
        F.when(is_sold, whole(F.col("quantity"))).alias("wholes"),
        "order_time",
    )
    placed = lines.join(members.select("user_id", "segment_name"), on="user_id", how="left")
    segment = F.when(F.col("day").isNotNull(), F.coalesce("segment_name", F.lit(OTHERS))).alias("segment_name")
    return placed.groupBy(segment, "item_id", "logged", "day").agg(
        F.sum("wholes").alias("wholes"), F.max("order_time").alias("last_at")
    )


def known_categories(lines: DataFrame, categories: DataFrame) -> DataFrame:
    """item_id and category of every item that has one: the one of `categories` (item_id, category), else the newest of
    the `lines` of `order_lines`."""
    told = lines.where(F.col("logged").isNotNull() & F.col("item_id").isNotNull())
    newest = F.max_by("logged", F.struct("last_at", "logged")).alias("logged")
    listed = categories.select("item_id", F.col("category").alias("listed"))
    both = told.groupBy("item_id").agg(newest).join(listed, on="item_id", how="full")
    return both.select("item_id", F.coalesce("listed", "logged").alias("category")).where("category IS NOT NULL")


def sold_units(lines: DataFrame, categories: DataFrame) -> DataFrame:
    """One row per segment, category, item and day with paid lines: segment_name, category, item_id, day, wholes.

    `lines` are those of `order_lines`, `categories` those of `known_categories`. The category is an empty text where
    there is none.
    """
    sold = lines.where(F.col("day").isNotNull())
    placed = sold.join(categories.select("item_id", "category"), on="item_id", how="left")
    category = F.coalesce("category", F.lit(NO_CATEGORY)).alias("category")
    return placed.groupBy("segment_name", category, "item_id", "day").agg(F.sum("wholes").alias("wholes"))


def daily_units(sold: DataFrame, members: DataFrame, config: DemandConfig, as_of: date) -> DataFrame:
    """The series of `sold`, which is read five times: a checkpoint serves best. Every segment has all of them.

    The best sellers are the `top_items` by units in the 91 days before `as_of`, ties by name; likewise categories.
    """
    top_items = _top(sold, ["item_id", "category"], config.top_items, as_of)
    top_categories = _top(sold, ["category"], config.top_categories, as_of)
    placed = _placed(sold, top_items, top_categories)
    found = placed.groupBy(*SERIES, "day").agg(amount(F.sum("wholes")).alias("units"))
    segments = members.select("segment_name").union(sold.select("segment_name")).distinct()
    kept = placed.select("category", "item_id").distinct()
    nothing = {"day": F.lit(None).cast("date"), "units": F.lit(0.0)}
    return found.unionByName(segments.crossJoin(F.broadcast(kept)).withColumns(nothing))


def kept_category(category: Column, is_kept: Column) -> Column:
    """The category as the series name it."""
    return F.when(is_kept, category).otherwise(F.lit(OTHER_CATEGORIES))


def _top(sold: DataFrame, names: list[str], count: int, as_of: date) -> DataFrame:
    recent = sold.where(F.col("day") >= F.lit(as_of - timedelta(days=TOP_DAYS)))
    known = recent.where(F.col(names[0]).isNotNull())
    by_units = known.groupBy(*names).agg(F.sum("wholes").alias("wholes")).where(F.col("wholes") > 0)
    return by_units.orderBy(F.desc("wholes"), *names).limit(count).select(*names)


def _placed(sold: DataFrame, top_items: DataFrame, top_categories: DataFrame) -> DataFrame:
    """`sold` by series: each row once for its category as the series name it, and once for its item if that is kept."""
    items = F.broadcast(top_items.withColumn("is_top", F.lit(True)))
    categories = F.broadcast(top_categories.withColumn("is_kept", F.lit(True)))
    marked = sold.join(items, on=["item_id", "category"], how="left").join(categories, on="category", how="left")
    category = kept_category(F.col("category"), F.col("is_kept").isNotNull()).alias("category")
    of_category = F.struct(category, F.lit(None).cast("string").alias("item_id"))
    of_item = F.when(F.col("is_top"), F.struct("category", "item_id"))
    goods = F.explode(F.array_compact(F.array(of_category, of_item))).alias("goods")
    return marked.select("segment_name", "day", "wholes", goods).select("segment_name", "day", "wholes", "goods.*")
