"""Who moved since the earlier run, and why: frames of one row per user, and the small tables counted from them."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

import numpy as np
from pyspark.sql import Column, DataFrame, Row
from pyspark.sql import functions as F

SAME, BEHAVIOUR, REFIT, NEW, GONE = "same", "behaviour", "refit", "new", "gone"


@dataclass(frozen=True)
class Churn:
    """Users by cause."""

    users: dict[str, int]

    @property
    def in_both(self) -> int:
        """Users who are in both runs."""
        return sum(self.users.get(cause, 0) for cause in (SAME, BEHAVIOUR, REFIT))

    @property
    def by_refit(self) -> float:
        """The share of the users in both runs whom only the new model moved."""
        return self.users.get(REFIT, 0) / self.in_both if self.in_both else 0.0


def cross(assigned: DataFrame, members: DataFrame, expected: DataFrame | None) -> DataFrame:
    """One row per user of either run: the columns of `assigned` with `position`, then `earlier` and `expected`.

    `assigned` has user_id and position, the segment's place in the new model; `members` user_id and earlier, the
    segment_id of the earlier run; `expected` user_id and expected, the segment_id under the earlier model today.
    """
    both = assigned.join(members, on="user_id", how="full")
    if expected is None:
        return both.withColumn("expected", F.lit(None).cast("int"))
    return both.join(expected, on="user_id", how="left")


def count_crossings(crossed: DataFrame) -> DataFrame:
    """Users by position, earlier and expected, any of them null where there is none: at most k x k x k rows."""
    return crossed.groupBy("position", "earlier", "expected").agg(F.count(F.lit(1)).alias("users"))


def overlap_table(crossings: Iterable[Row], then: np.ndarray, k: int) -> np.ndarray:
    """Users by new position (rows) and earlier segment (columns, by `then`), of those who are in both runs.

    Where nobody is in both, as when the shop's ids were replaced, users stand under the segment that the earlier model
    puts them into today: the same people need not be there to see which region of the old model is which of the new.
    """
    columns = {int(segment_id): column for column, segment_id in enumerate(then)}
    by_members, by_model = np.zeros((k, len(then))), np.zeros((k, len(then)))
    for row in crossings:
        for table, segment_id in ((by_members, row["earlier"]), (by_model, row["expected"])):
            if row["position"] is not None and segment_id in columns:
                table[row["position"], columns[segment_id]] += row["users"]
    return by_members if by_members.any() else by_model


def with_causes(crossed: DataFrame, ids: np.ndarray) -> DataFrame:
    """The same with segment_id (null for gone) by the ids of the positions, and cause.

    `behaviour`: the earlier model, given what the user is like now, would have moved them too. Where nobody knows what
    it would have done, the move is the refit's: unknown is never put down to the user.
    """
    segment_id = id_of(F.col("position"), ids)
    moved_too = F.coalesce(F.col("expected") != F.col("earlier"), F.lit(False))
    cause = (
        F.when(F.col("earlier").isNull(), NEW)
        .when(F.col("segment_id").isNull(), GONE)
        .when(F.col("segment_id") == F.col("earlier"), SAME)
        .when(moved_too, BEHAVIOUR)
        .otherwise(REFIT)
    )
    return crossed.withColumn("segment_id", segment_id).withColumn("cause", cause)


def id_of(position: Column, ids: np.ndarray) -> Column:
    """The segment_id of a position; null for none, which Spark 4.2's element_at of a literal array does not see."""
    found = F.get(F.array(*(F.lit(int(segment_id)) for segment_id in ids)), position)
    return F.when(position.isNotNull(), found)


def changed_users(caused: DataFrame, scheme: str) -> DataFrame:
    """Those who moved, as the table `segment_changes` has them."""
    moved = caused.where(F.col("cause") != SAME)
    return moved.select(
        F.lit(scheme).alias("scheme"),
        "user_id",
        F.col("earlier").alias("from_segment"),
        F.col("segment_id").alias("to_segment"),
        "cause",
    )


def count_causes(caused: DataFrame) -> DataFrame:
    """Users by cause."""
    return caused.groupBy("cause").agg(F.count(F.lit(1)).alias("users"))
