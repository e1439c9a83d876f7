"""What a user did on a day, as sums that add up over days."""

from functools import reduce

from pyspark.sql import DataFrame
from pyspark.sql import functions as F

from segspark.core.exact import amount, whole
from segspark.features.config import FeaturesConfig
from segspark.features.exact import count_if, day_of, is_night
from segspark.features.layout import KEYS, ONE_TASK, Layout
from segspark.features.visits import COUNTS, is_bounce

SESSION_COUNTS = ("sessions", "session_seconds", "session_events", "bounces")
ORDER_COUNTS = ("orders", "order_lines", "refunds", "night_orders")
AMOUNTS = ("units", "spend", "discount", "refunded", "rating_sum")
ALL_COUNTS = (*COUNTS, *SESSION_COUNTS, *ORDER_COUNTS, "ratings")
KEY = ("user_id", "day")


def count_user_days(
    visits: DataFrame, orders: DataFrame, ratings: DataFrame, config: FeaturesConfig, layout: Layout = ONE_TASK
) -> DataFrame:
    """One row per user and day with any event, order or rating, as the table `user_days` has it, gathered by `layout`.

    `visits` are rows of `cut_visits`; a visit's columns stand on the day on which it began.
    """
    frames = [_first_days(visits), _next_days(visits), _order_days(orders, config), _rating_days(ratings)]
    rows = reduce(lambda one, other: one.unionByName(other, allowMissingColumns=True), frames)
    firsts, lasts = ("first_event_at", "first_order_at"), ("last_event_at", "last_order_at")
    summed = (
        layout.gather(rows)
        .groupBy("user_id", *KEYS)
        .agg(
            *(F.coalesce(F.sum(name), F.lit(0)).cast("bigint").alias(name) for name in ALL_COUNTS),
            *(F.sum(name).alias(name) for name in AMOUNTS),
            *(F.min(name).alias(name) for name in firsts),
            *(F.max(name).alias(name) for name in lasts),
        )
    )
    amounts = {name: amount(F.coalesce(F.col(name), F.lit(0))) for name in AMOUNTS if name != "discount"}
    return summed.withColumns(
        {
            **amounts,
            "discount": amount(F.col("discount")),
            "is_bot": F.col("events") > config.bot_events_per_day,
        }
    )


def _first_days(visits: DataFrame) -> DataFrame:
    """Of each visit the events of the day on which it began, and the visit itself."""
    seconds = F.floor((F.col("last_time") - F.col("first_time")) / F.lit(1_000_000))
    return visits.select(
        "user_id",
        day_of(F.col("visit")).alias("day"),
        *((F.col(name) - F.col(f"late_{name}")).alias(name) for name in COUNTS),
        F.timestamp_micros("first_time").alias("first_event_at"),
        F.timestamp_micros("early_last_time").alias("last_event_at"),
        F.lit(1).cast("bigint").alias("sessions"),
        seconds.alias("session_seconds"),
        F.col("events").alias("session_events"),
        F.when(is_bounce(), F.lit(1)).otherwise(F.lit(0)).cast("bigint").alias("bounces"),
    )


def _next_days(visits: DataFrame) -> DataFrame:
    """The events after midnight of the visits that went on."""
    return visits.where(F.col("late_events") > 0).select(
        "user_id",
        F.date_add(day_of(F.col("visit")), 1).alias("day"),
        *(F.col(f"late_{name}").alias(name) for name in COUNTS),
        F.timestamp_micros("late_first_time").alias("first_event_at"),
        F.timestamp_micros("last_time").alias("last_event_at"),
    )


def _order_days(orders: DataFrame, config: FeaturesConfig) -> DataFrame:
    """Money in whole ten-thousandths. An order counts on each day on which it has a paid line."""
    is_paid = F.col("status") == "paid"
    gross = F.col("quantity") * F.coalesce(F.col("unit_price"), F.lit(0.0))
    net = whole(gross - F.coalesce(F.col("discount"), F.lit(0.0)))
    at_night = is_night(F.unix_micros("order_time"), config.night_from_hour, config.night_to_hour)
    by_order = (
        orders.where(F.col("user_id").isNotNull())
        .groupBy(*KEY, "order_id")
        .agg(
            count_if(is_paid).alias("order_lines"),
            count_if(~is_paid).alias("refunds"),
            count_if(is_paid & at_night).alias("night_lines"),
            F.sum(F.when(is_paid, whole(F.col("quantity")))).alias("units"),
            F.sum(F.when(is_paid, net)).alias("spend"),
            F.sum(F.when(is_paid, whole(F.col("discount")))).alias("discount"),
            F.sum(F.when(~is_paid, net)).alias("refunded"),
            F.min(F.when(is_paid, F.col("order_time"))).alias("first_order_at"),
            F.max(F.when(is_paid, F.col("order_time"))).alias("last_order_at"),
        )
    )
    return by_order.groupBy(*KEY).agg(
        count_if(F.col("order_lines") > 0).alias("orders"),
        count_if(F.col("night_lines") > 0).alias("night_orders"),
        *(F.sum(name).alias(name) for name in ("order_lines", "refunds", "units", "spend", "discount", "refunded")),
        F.min("first_order_at").alias("first_order_at"),
        F.max("last_order_at").alias("last_order_at"),
    )


def _rating_days(ratings: DataFrame) -> DataFrame:
    known = ratings.where(F.col("user_id").isNotNull())
    return known.groupBy(*KEY).agg(
        F.count("rating").alias("ratings"), F.sum(whole(F.col("rating"))).alias("rating_sum")
    )
