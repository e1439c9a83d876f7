"""What users did month by month, and what segments and cohorts did."""

from datetime import date, timedelta

from pyspark.sql import DataFrame, Window
from pyspark.sql import functions as F

from segspark.bi.marts.money import money
from segspark.core.exact import whole

RECENT_DAYS = 30


def user_months(user_days: DataFrame, bots: DataFrame, as_of: date) -> DataFrame:
    """One row per user and month with any act before `as_of`, without `bots` (user_id).

    orders, wholes (revenue in ten-thousandths), last_order_day, and orders_30d and wholes_30d of the 30 days before
    `as_of`.
    """
    is_order, is_recent = F.col("orders") > 0, F.col("day") >= F.lit(as_of - timedelta(days=RECENT_DAYS))
    days = user_days.where(F.col("day") < F.lit(as_of)).join(bots, on="user_id", how="left_anti")
    spent = F.coalesce(whole(F.col("spend")), F.lit(0)).alias("wholes")
    counted = days.select("user_id", "day", "orders", F.trunc("day", "month").alias("month"), spent)
    return counted.groupBy("user_id", "month").agg(
        F.sum("orders").alias("orders"),
        F.sum("wholes").alias("wholes"),
        F.max(F.when(is_order, F.col("day"))).alias("last_order_day"),
        F.sum(F.when(is_recent, F.col("orders"))).alias("orders_30d"),
        F.sum(F.when(is_recent, F.col("wholes"))).alias("wholes_30d"),
    )


def segment_facts(facts: DataFrame, members: DataFrame) -> DataFrame:
    """The rows of the table segment_facts; `facts` as user_facts, `members` has scheme, segment_id and user_id."""
    joined = members.join(facts, on="user_id", how="inner")
    return joined.groupBy("scheme", "segment_id").agg(
        F.count(F.lit(1)).alias("users"),
        F.count(F.when(F.col("orders") > 0, F.lit(1))).alias("buyers"),
        F.sum("orders").alias("orders"),
        money(F.sum(whole(F.col("revenue")))).alias("revenue"),
        F.count(F.when(F.col("revenue_30d") > 0, F.lit(1))).alias("buyers_30d"),
        money(F.sum(whole(F.col("revenue_30d")))).alias("revenue_30d"),
    )


def segment_months(months: DataFrame, members: DataFrame, as_of: date) -> DataFrame:
    """The rows of the table segment_months; `members` has scheme, segment_id and user_id."""
    is_buyer = F.col("orders") > 0
    ends = F.least(F.add_months("month", 1), F.lit(as_of))
    return (
        months.join(members, on="user_id", how="inner")
        .groupBy("scheme", "segment_id", "month")
        .agg(
            F.count(F.lit(1)).alias("active_users"),
            F.count(F.when(is_buyer, F.lit(1))).alias("buyers"),
            F.sum("orders").alias("orders"),
            money(F.sum("wholes")).alias("revenue"),
        )
        .withColumn("days", F.datediff(ends, "month"))
    )


def cohort_months(months: DataFrame, facts: DataFrame) -> DataFrame:
    """The rows of the table cohort_months; `facts` has user_id and first_order_month.

    The size of a cohort is what bought in its first month: all of it, by the month's definition.
    """
    cohort = F.col("first_order_month").alias("cohort_month")
    buyers = facts.where(F.col("first_order_month").isNotNull()).select("user_id", cohort)
    ordered = months.where(F.col("orders") > 0).join(buyers, on="user_id", how="inner")
    counted = ordered.groupBy("cohort_month", "month").agg(
        F.count(F.lit(1)).alias("buyers"),
        F.sum("orders").alias("orders"),
        money(F.sum("wholes")).alias("revenue"),
    )
    of_first_month = F.when(F.col("month") == F.col("cohort_month"), F.col("buyers"))
    size = F.max(of_first_month).over(Window.partitionBy("cohort_month"))
    since = F.round(F.months_between("month", "cohort_month")).cast("int")
    return counted.withColumns({"cohort_users": size, "months_since": since})
