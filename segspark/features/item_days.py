"""What a user did with an item on a day."""

from pyspark.sql import Column, DataFrame
from pyspark.sql import functions as F

from segspark.features.exact import amount, whole

KINDS = {
    "views": "view",
    "clicks": "click",
    "carts": "add_to_cart",
    "wishlists": "wishlist",
    "purchases": "purchase",
}
COUNTS = (*KINDS, "order_lines")
AMOUNTS = ("units", "spend")


def count_user_item_days(events: DataFrame, orders: DataFrame) -> DataFrame:
    """One row per user, item and day with a paid line or an event of `KINDS`, as `user_item_days` has it.

    Categories travel as hashes and are looked up at the end: Spark sorts all rows where it aggregates text, but hashes
    them where it aggregates numbers.
    """
    rows = _event_rows(events).unionByName(_order_rows(orders))
    summed = rows.groupBy("user_id", "item_id", "day").agg(
        *(F.sum(name).alias(name) for name in (*COUNTS, *AMOUNTS)), F.max(_hash()).alias("category_hash")
    )
    names = F.broadcast(rows.select("category").distinct().where(F.col("category").isNotNull()))
    named = summed.join(names.withColumn("category_hash", _hash()), "category_hash", "left")
    return named.select(
        "user_id", "item_id", "day", "category", *COUNTS, *(amount(F.col(name)).alias(name) for name in AMOUNTS)
    )


def _event_rows(events: DataFrame) -> DataFrame:
    is_known = F.col("user_id").isNotNull() & F.col("item_id").isNotNull()
    zero = F.lit(0).cast("bigint")
    return events.where(is_known & F.col("event_type").isin(*KINDS.values())).select(
        "user_id",
        "item_id",
        "day",
        "category",
        *(_one_if(F.col("event_type") == kind).alias(name) for name, kind in KINDS.items()),
        *(zero.alias(name) for name in ("order_lines", *AMOUNTS)),
    )


def _order_rows(orders: DataFrame) -> DataFrame:
    is_known = F.col("user_id").isNotNull() & F.col("item_id").isNotNull()
    gross = F.col("quantity") * F.coalesce(F.col("unit_price"), F.lit(0.0))
    net = gross - F.coalesce(F.col("discount"), F.lit(0.0))
    return orders.where(is_known & (F.col("status") == "paid")).select(
        "user_id",
        "item_id",
        "day",
        "category",
        *(F.lit(0).cast("bigint").alias(name) for name in KINDS),
        F.lit(1).cast("bigint").alias("order_lines"),
        F.coalesce(whole(F.col("quantity")), F.lit(0)).cast("bigint").alias("units"),
        F.coalesce(whole(net), F.lit(0)).cast("bigint").alias("spend"),
    )


def _one_if(condition: Column) -> Column:
    return F.when(condition, F.lit(1)).otherwise(F.lit(0)).cast("bigint")


def _hash() -> Column:
    return F.when(F.col("category").isNotNull(), F.xxhash64("category"))
