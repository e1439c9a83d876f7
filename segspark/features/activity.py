"""Features from a user's days: what they bought, how they visit, and both over windows before as_of."""

from datetime import date, timedelta

from pyspark.sql import Column, DataFrame, Window
from pyspark.sql import functions as F

from segspark.core.exact import amount, whole
from segspark.features.config import FeaturesConfig
from segspark.features.exact import count_if, ratio
from segspark.features.sources import Sources

EVENT_WINDOWS = ("events", "sessions", "views", "carts")
ORDER_WINDOWS = ("orders", "units", "spend")
AMOUNTS = ("units", "spend", "discount", "rating_sum")
COUNTS = (
    *("events", "impressions", "views", "clicks", "searches", "carts", "wishlists", "purchases", "night_events"),
    *("sessions", "session_seconds", "session_events", "bounces"),
    *("orders", "order_lines", "refunds", "night_orders", "ratings"),
)


def add_up_days(user_days: DataFrame, as_of: date, config: FeaturesConfig) -> DataFrame:
    """One row per user: totals over all their days before as_of, first and last days, and sums over windows.

    Amounts are made whole once for each day, and not in each of the sums that they go into.
    """
    day = F.col("day")
    is_weekend = F.dayofweek(day).isin(1, 7)
    return (
        user_days.where(day < F.lit(as_of))
        .withColumns({name: whole(F.col(name)) for name in AMOUNTS})
        .groupBy("user_id")
        .agg(
            *(F.sum(name).alias(name) for name in COUNTS),
            *(amount(F.sum(name)).alias(name) for name in AMOUNTS),
            F.count(F.lit(1)).alias("active_days"),
            _sum_if(is_weekend, F.col("events")).alias("weekend_events"),
            _sum_if(is_weekend, F.col("orders")).alias("weekend_orders"),
            F.min("day").alias("first_day"),
            F.max(F.when(F.col("orders") > 0, day)).alias("last_order_day"),
            F.max(F.when(F.col("events") > 0, day)).alias("last_visit_day"),
            F.max("is_bot").alias("is_bot"),
            *(column for days in config.windows_days for column in _window_sums(days, as_of)),
        )
    )


def measure_gaps(user_days: DataFrame, as_of: date) -> DataFrame:
    """One row per user who ordered: mean and sample deviation of the days between the days with an order.

    Sums of whole days are exact in any order, which running means are not.
    """
    order_days = user_days.where((F.col("day") < F.lit(as_of)) & (F.col("orders") > 0)).select("user_id", "day")
    by_day = Window.partitionBy("user_id").orderBy("day")
    gap = F.datediff("day", F.lag("day").over(by_day)).cast("bigint")
    sums = (
        order_days.withColumn("gap", gap)
        .groupBy("user_id")
        .agg(
            F.count("gap").alias("n"), F.sum("gap").alias("total"), F.sum(F.col("gap") * F.col("gap")).alias("squares")
        )
    )
    n, total = F.col("n"), F.col("total")
    variance = ratio(n * F.col("squares") - total * total, n * (n - 1))
    return sums.select(
        "user_id", ratio(total, n).alias("inter_purchase_days_mean"), F.sqrt(variance).alias("inter_purchase_days_std")
    )


def activity_columns(as_of: date, config: FeaturesConfig, sources: Sources) -> dict[str, Column]:
    """The features by name, as doubles, over rows of `add_up_days` joined to `measure_gaps`.

    A user without any day has 0 for counts and sums, null for all else; what no source gives is null for everyone.
    """
    windows = config.windows_days
    groups = (
        (sources.orders, {**_purchases(as_of), **_windows(ORDER_WINDOWS, windows)}),
        (sources.events, {**_visits(as_of), **_windows(EVENT_WINDOWS, windows)}),
        (sources.events and sources.orders, {"cart_to_order_rate": ratio(F.col("orders"), F.col("carts"))}),
        (sources.events or sources.orders, _shares(sources)),
        (sources.ratings, {"rating_count": _zero("ratings"), "rating_mean": _per("rating_sum", "ratings")}),
        (True, {"active_days": _zero("active_days"), **_windows(("active_days",), windows)}),
    )
    unknown = F.lit(None)
    return {
        name: (column if is_known else unknown).cast("double")
        for is_known, named in groups
        for name, column in named.items()
    }


def _purchases(as_of: date) -> dict[str, Column]:
    discount, refunds = F.col("discount"), F.col("refunds")
    return {
        "recency_days": F.datediff(F.lit(as_of), "last_order_day"),
        "frequency": _zero("orders"),
        "monetary": _zero("spend"),
        "units": _zero("units"),
        "aov": _per("spend", "orders"),
        "items_per_order": _per("units", "orders"),
        "inter_purchase_days_mean": F.col("inter_purchase_days_mean"),
        "inter_purchase_days_std": F.col("inter_purchase_days_std"),
        "discount_share": ratio(discount, F.col("spend") + discount),
        "refund_share": ratio(refunds, refunds + F.col("order_lines")),
    }


def _visits(as_of: date) -> dict[str, Column]:
    sessions = F.col("sessions")
    return {
        "recency_visit_days": F.datediff(F.lit(as_of), "last_visit_day"),
        **{
            name: _zero(name) for name in ("events", "sessions", "views", "carts", "searches", "wishlists", "purchases")
        },
        "events_per_session": _per("session_events", "sessions"),
        "session_minutes": ratio(F.col("session_seconds"), sessions * 60),
        "bounce_share": _per("bounces", "sessions"),
        "click_rate": _per("clicks", "impressions"),
        "view_to_cart_rate": _per("carts", "views"),
    }


def _shares(sources: Sources) -> dict[str, Column]:
    """Night and weekend as shares of events; of orders where there are no events."""
    what = "events" if sources.events else "orders"
    return {f"{when}_share": _per(f"{when}_{what}", what) for when in ("night", "weekend")}


def _windows(names: tuple[str, ...], windows: tuple[int, ...]) -> dict[str, Column]:
    return {f"{name}_{days}d": _zero(f"{name}_{days}d") for days in windows for name in names}


def _window_sums(days: int, as_of: date) -> list[Column]:
    """Over the last `days` days before as_of, units and spend being whole; the day of as_of itself does not count."""
    is_inside = F.col("day") >= F.lit(as_of - timedelta(days=days))
    counts = {name: _sum_if(is_inside, F.col(name)) for name in (*EVENT_WINDOWS, "orders")}
    sums = {name: amount(_sum_if(is_inside, F.col(name))) for name in ("units", "spend")}
    columns = {**counts, **sums, "active_days": count_if(is_inside)}
    return [column.alias(f"{name}_{days}d") for name, column in columns.items()]


def _per(part: str, total: str) -> Column:
    return ratio(F.col(part), F.col(total))


def _zero(name: str) -> Column:
    return F.coalesce(F.col(name), F.lit(0))


def _sum_if(condition: Column, value: Column) -> Column:
    return F.sum(F.when(condition, value).otherwise(F.lit(0)))
