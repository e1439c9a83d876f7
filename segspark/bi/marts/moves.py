"""Who went from which segment to which, and what they pay."""

from pyspark.sql import Column, DataFrame
from pyspark.sql import functions as F

from segspark.bi.marts.money import money
from segspark.core.exact import whole

SAME = "same"
ENDS = ("scheme", "from_segment", "to_segment")


def segment_moves(
    members: DataFrame, changes: DataFrame, facts: DataFrame, now: DataFrame, then: DataFrame
) -> DataFrame:
    """The rows of the table segment_moves.

    `members` as user_segments, `changes` as segment_changes, `facts` user_id and revenue_30d; `now` and `then` are the
    segments of this run and of the published one: scheme, segment_id and name.
    """
    stayed = members.where(F.col("change") == SAME).select(
        "scheme",
        "user_id",
        F.col("segment_id").alias("from_segment"),
        F.col("segment_id").alias("to_segment"),
        F.lit(SAME).alias("cause"),
    )
    went = changes.select("scheme", "user_id", "from_segment", "to_segment", "cause").unionByName(stayed)
    paid = facts.select("user_id", whole(F.col("revenue_30d")).alias("wholes"))
    counted = (
        went.join(paid, on="user_id", how="left")
        .groupBy(*ENDS, "cause")
        .agg(
            F.count(F.lit(1)).alias("users"),
            F.count(F.when(F.col("wholes") > 0, F.lit(1))).alias("buyers_30d"),
            money(F.sum("wholes")).alias("revenue_30d"),
        )
    )
    return _named(_named(counted, then, "from"), now, "to")


def _named(counted: DataFrame, segments: DataFrame, end: str) -> DataFrame:
    names = segments.select("scheme", _as("segment_id", f"{end}_segment"), _as("name", f"{end}_name"))
    return counted.join(F.broadcast(names), on=["scheme", f"{end}_segment"], how="left")


def _as(column: str, name: str) -> Column:
    return F.col(column).alias(name)
