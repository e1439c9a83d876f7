"""Who went from which segment to which, and what they pay."""

from collections.abc import Iterable, Mapping
from typing import Any

from pyspark.sql import DataFrame
from pyspark.sql import functions as F

from segspark.bi.marts.money import money
from segspark.core.exact import whole

SAME = "same"
ENDS = ("scheme", "from_segment", "to_segment")
Row = Mapping[str, Any]


def count_moves(members: DataFrame, changes: DataFrame, facts: DataFrame) -> DataFrame:
    """The rows of the table segment_moves, without the names of segments.

    `members` as user_segments, `changes` as segment_changes, `facts` user_id and revenue_30d.
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
    return (
        went.join(paid, on="user_id", how="left")
        .groupBy(*ENDS, "cause")
        .agg(
            F.count(F.lit(1)).alias("users"),
            F.count(F.when(F.col("wholes") > 0, F.lit(1))).alias("buyers_30d"),
            money(F.sum("wholes")).alias("revenue_30d"),
        )
    )


def named_moves(counted: Iterable[Row], then: Iterable[Row], now: Iterable[Row]) -> list[Row]:
    """The same with the names that the segments had in the published run and have in this one; both are segments."""
    before, after = ({(row["scheme"], row["segment_id"]): row["name"] for row in rows} for rows in (then, now))
    return [
        {
            **row,
            "from_name": before.get((row["scheme"], row["from_segment"])),
            "to_name": after.get((row["scheme"], row["to_segment"])),
        }
        for row in counted
    ]
