"""Everybody of the scheme as actions are chosen for them, and how many may be contacted."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from pyspark.sql import Column, DataFrame
from pyspark.sql import functions as F

from segspark.campaigns.lookup import looked_up
from segspark.campaigns.planning.audience import REASONS
from segspark.campaigns.planning.draws import uniform
from segspark.campaigns.planning.people import worth_by_segment
from segspark.core.checkpoints import count_each


@dataclass(frozen=True)
class Asked:
    """Rows of `asked_of`, how many they are, and what a conversion of theirs is worth."""

    rows: DataFrame
    users: int
    open: int  # who may be contacted, or might be if they were not held out
    asking: int  # of them, who is not held out
    left_out: Mapping[str, int]  # the others, by the reason
    worth: Mapping[str, float]  # on average, by segment

    @property
    def open_to(self) -> DataFrame:
        """The rows of who may be contacted."""
        return self.rows.where(F.col("left_out").isNull())


def asked_of(
    audience: DataFrame, members: DataFrame, segments: Sequence[str], campaign_id: str, seed: int
) -> DataFrame:
    """ASKED with segment_name and left_out: one row per row of `audience`, which is of `find_audience`.

    `members` has user_id and holdout of who is a member of the campaign; `segments` are in the order of the rules.
    """
    numbers = {name: number for number, name in enumerate(segments)}
    key = (campaign_id, str(seed))
    return audience.join(members, on="user_id", how="left").select(
        "user_id",
        "segment_name",
        "left_out",
        looked_up(numbers, "segment_name", "int").alias("segment_no"),
        "worth",
        "allowed",
        F.coalesce("holdout", F.lit(False)).alias("holdout"),
        *(uniform(purpose, *key, F.col("user_id")).alias(purpose) for purpose in ("lane", "draw", "tie")),
    )


def asked_counts(segments: Sequence[str]) -> dict[str, Column]:
    """The fields of `Asked` over its rows; worth as `worth_by_segment`."""
    is_open = F.col("left_out").isNull()
    return {
        "users": F.count(F.lit(1)),
        "open": F.count_if(is_open),
        "asking": F.count_if(is_open & ~F.col("holdout")),
        "left_out": count_each("left_out", REASONS),
        "worth": worth_by_segment(segments),
    }
