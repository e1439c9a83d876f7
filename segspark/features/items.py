"""What is known of items and categories before as_of."""

from datetime import date

from pyspark.sql import DataFrame, Window
from pyspark.sql import functions as F

from segspark.core.exact import amount, exact_sum, whole
from segspark.features.exact import ratio


def describe_items(item_days: DataFrame, items: DataFrame, as_of: date) -> DataFrame:
    """One row per item in the log or the list: category, launch_day, and the units and spend sold before as_of.

    An item whose launch lies at or after as_of is taken from the log only. The category is the list's, else the newest
    of the log; the launch is the list's, else the first sale to a known user.
    """
    is_known = F.col("launch_time").isNull() | (F.to_date("launch_time") < F.lit(as_of))
    listed = items.where(is_known).select(
        "item_id", F.col("category").alias("listed_category"), F.to_date("launch_time").alias("listed_launch")
    )
    sold = _sum_categories(item_days.where(F.col("day") < F.lit(as_of)))
    newest = F.max(F.when(F.col("category").isNotNull(), F.struct("last_day", "category")))
    both = (
        sold.unionByName(listed, allowMissingColumns=True)
        .groupBy("item_id")
        .agg(
            newest.getField("category").alias("category"),
            F.min("first_sale").alias("first_sale"),
            *(amount(F.sum(name)).alias(name) for name in ("units", "spend")),
            *(F.max(name).alias(name) for name in ("listed_category", "listed_launch")),
        )
    )
    return both.select(
        "item_id",
        F.coalesce("listed_category", "category").alias("category"),
        F.coalesce("listed_launch", "first_sale").alias("launch_day"),
        "units",
        "spend",
    )


def price_categories(described: DataFrame) -> DataFrame:
    """One row per category of `describe_items`: its mean price of a unit sold, and its number in alphabetical order.

    Items without a category are one category: null, with the number 0.
    """
    totals = described.groupBy("category").agg(
        exact_sum(F.col("units")).alias("units"), exact_sum(F.col("spend")).alias("spend")
    )
    number = F.count("category").over(Window.orderBy(F.asc_nulls_first("category")))
    mean_price = ratio(F.col("spend"), F.col("units"))
    return totals.select("category", number.alias("category_no"), mean_price.alias("category_price"))


def place_items(described: DataFrame, categories: DataFrame) -> DataFrame:
    """One row per item of `describe_items`: launch_day, category, and its number and price."""
    numbered = F.broadcast(categories.withColumnRenamed("category", "name"))
    return described.join(numbered, F.expr("category <=> name"), "left").select(
        "item_id", "launch_day", "category", "category_no", "category_price"
    )


def _sum_categories(item_days: DataFrame) -> DataFrame:
    """One row per item and category of the log: its last day, its first sale, units and spend in ten-thousandths."""
    is_sold = F.col("order_lines") > 0
    return item_days.groupBy("item_id", "category").agg(
        F.max("day").alias("last_day"),
        F.min(F.when(is_sold, F.col("day"))).alias("first_sale"),
        *(F.sum(F.when(is_sold, whole(F.col(name)))).alias(name) for name in ("units", "spend")),
    )
