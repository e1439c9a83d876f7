"""What a user did with an item on a day, and what all users together did."""

from pyspark.sql import Column, DataFrame
from pyspark.sql import functions as F

from segspark.core.exact import amount, exact_sum, whole
from segspark.features.exact import count_if
from segspark.features.kinds import kind_number
from segspark.features.layout import KEYS, ONE_TASK, Layout

TOUCHES = ("views", "clicks", "carts", "wishlists", "purchases")
COUNTS = (*TOUCHES, "order_lines")
AMOUNTS = ("units", "spend")


def count_user_item_days(events: DataFrame, orders: DataFrame, layout: Layout = ONE_TASK) -> DataFrame:
    """One row per user, item and day with a paid line or an event of `TOUCHES`, as `user_item_days` has it.

    Rows are gathered by `layout` before they are counted: they are nearly as many afterwards, so that counting first
    would spare the shuffle nothing. Categories travel as hashes and are looked up at the end: Spark sorts all rows
    where it aggregates text, but hashes them where it aggregates numbers.
    """
    rows = layout.gather(_event_rows(events).unionByName(_order_rows(orders)))
    summed = rows.groupBy("user_id", "item_id", *KEYS).agg(
        *(count_if(F.col("kind") == number).alias(name) for number, name in enumerate(TOUCHES)),
        *(F.sum(name).alias(name) for name in ("order_lines", *AMOUNTS)),
        F.max("category_hash").alias("category_hash"),
    )
    names = layout.read(events.select("category").unionByName(orders.select("category"))).distinct()
    named = F.broadcast(names.where(F.col("category").isNotNull()).withColumn("category_hash", _hash()))
    return summed.join(named, "category_hash", "left").select(
        "user_id", "item_id", *KEYS, "category", *COUNTS, *(amount(F.col(name)).alias(name) for name in AMOUNTS)
    )


def count_purchases(orders: DataFrame) -> DataFrame:
    """The rows of user_item_days with a paid line, from the far fewer rows of orders: no views, no category."""
    sums = (F.sum(name).alias(name) for name in ("order_lines", *AMOUNTS))
    summed = _order_rows(orders).groupBy("user_id", "item_id", "day").agg(*sums)
    return summed.withColumns({name: amount(F.col(name)) for name in AMOUNTS})


def count_item_days(user_item_days: DataFrame) -> DataFrame:
    """One row per item, category and day of user_item_days, as the table `item_days` has it."""
    return user_item_days.groupBy("item_id", "day", "category").agg(
        F.sum("order_lines").alias("order_lines"), *(exact_sum(F.col(name)).alias(name) for name in AMOUNTS)
    )


def _event_rows(events: DataFrame) -> DataFrame:
    zero = F.lit(0).cast("bigint")
    rows = events.where(F.col("user_id").isNotNull() & F.col("item_id").isNotNull()).select(
        "user_id",
        "item_id",
        "day",
        _hash().alias("category_hash"),
        kind_number(TOUCHES).alias("kind"),
        *(zero.alias(name) for name in ("order_lines", *AMOUNTS)),
    )
    return rows.where(F.col("kind").isNotNull())


def _order_rows(orders: DataFrame) -> DataFrame:
    is_known = F.col("user_id").isNotNull() & F.col("item_id").isNotNull()
    gross = F.col("quantity") * F.coalesce(F.col("unit_price"), F.lit(0.0))
    net = gross - F.coalesce(F.col("discount"), F.lit(0.0))
    return orders.where(is_known & (F.col("status") == "paid")).select(
        "user_id",
        "item_id",
        "day",
        _hash().alias("category_hash"),
        F.lit(None).cast("int").alias("kind"),
        F.lit(1).cast("bigint").alias("order_lines"),
        F.coalesce(whole(F.col("quantity")), F.lit(0)).cast("bigint").alias("units"),
        F.coalesce(whole(net), F.lit(0)).cast("bigint").alias("spend"),
    )


def _hash() -> Column:
    return F.when(F.col("category").isNotNull(), F.xxhash64("category"))
