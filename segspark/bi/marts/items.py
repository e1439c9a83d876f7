"""What was sold: of each item, and of each category to each segment."""

from datetime import date
from functools import partial, reduce

from pyspark.sql import DataFrame
from pyspark.sql import functions as F

from segspark.bi.marts.money import money
from segspark.core.exact import whole


def purchases_before(orders: DataFrame, bots: DataFrame, as_of: date) -> DataFrame:
    """One row per user and item with a paid line before `as_of`: units and wholes in ten-thousandths, newest category.

    Guests are one user without an id. `bots` (user_id) are left out.
    """
    gross = F.col("quantity") * F.coalesce(F.col("unit_price"), F.lit(0.0))
    net = gross - F.coalesce(F.col("discount"), F.lit(0.0))
    is_paid = (F.col("status") == "paid") & F.col("item_id").isNotNull() & (F.col("day") < F.lit(as_of))
    named = F.when(F.col("category").isNotNull(), F.struct("day", "category"))
    lines = orders.where(is_paid).join(bots, on="user_id", how="left_anti")
    return lines.groupBy("user_id", "item_id").agg(
        F.sum(F.coalesce(whole(F.col("quantity")), F.lit(0))).alias("units"),
        F.sum(F.coalesce(whole(net), F.lit(0))).alias("wholes"),
        F.max(named).alias("named"),
    )


def acts_on_items(days: DataFrame, ratings: DataFrame) -> DataFrame:
    """user_id, item_id and day of whatever users did with items, of user_item_days and ratings."""
    return days.select("user_id", "item_id", "day").unionByName(ratings.select("user_id", "item_id", "day"))


def users_of_items(acts: DataFrame, bots: DataFrame, as_of: date) -> DataFrame:
    """item_id and users: how many known users acted on or rated it before `as_of`.

    Users are told apart by a hash of their id: numbers are counted at a fraction of the cost of texts.
    """
    known = acts.where((F.col("day") < F.lit(as_of)) & F.col("user_id").isNotNull() & F.col("item_id").isNotNull())
    by_people = known.join(bots, on="user_id", how="left_anti")
    return by_people.groupBy("item_id").agg(F.count_distinct(F.xxhash64("user_id")).alias("users"))


def item_facts(purchases: DataFrame, acted_on: DataFrame, items: DataFrame, as_of: date) -> DataFrame:
    """The rows of the table item_facts; an item whose launch lies at or after `as_of` is taken from the logs only."""
    sold = purchases.groupBy("item_id").agg(
        F.sum("units").alias("units"),
        F.sum("wholes").alias("wholes"),
        F.count("user_id").alias("buyers"),
        F.max("named").getField("category").alias("sold_as"),
    )
    launched = F.to_date("launch_time").alias("launch_day")
    listed = items.select("item_id", "category", "brand", "price", launched)
    listed = listed.where(F.col("launch_day").isNull() | (F.col("launch_day") < F.lit(as_of)))
    parts = reduce(partial(DataFrame.unionByName, allowMissingColumns=True), (listed, sold, acted_on))
    known = parts.groupBy("item_id").agg(*(F.max(name).alias(name) for name in parts.columns if name != "item_id"))
    none = F.lit(0).cast("bigint")
    return known.select(
        "item_id",
        F.coalesce("category", "sold_as").alias("category"),
        "brand",
        "price",
        "launch_day",
        money(F.col("units")).alias("units"),
        money(F.col("wholes")).alias("revenue"),
        F.coalesce("buyers", none).alias("buyers"),
        F.coalesce("users", none).alias("users"),
    )


def segment_categories(purchases: DataFrame, categories: DataFrame, members: DataFrame) -> DataFrame:
    """The rows of the table segment_categories; `categories` has item_id and category, `members` as segment_months."""
    category = F.coalesce("category", F.lit("")).alias("category")
    placed = purchases.where(F.col("user_id").isNotNull()).join(categories, on="item_id", how="left")
    by_user = placed.groupBy("user_id", category).agg(
        F.sum("units").alias("bought_units"), F.sum("wholes").alias("wholes")
    )
    joined = by_user.join(members, on="user_id", how="inner")
    return joined.groupBy("scheme", "segment_id", "category").agg(
        F.count(F.lit(1)).alias("buyers"),
        money(F.sum("bought_units")).alias("units"),
        money(F.sum("wholes")).alias("revenue"),
    )
