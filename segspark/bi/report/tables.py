"""From tables of the size of the users to the few rows that the report shows: bounded by configuration or by the number
of segments. None has a user's id."""

from collections.abc import Collection, Mapping, Sequence
from functools import reduce
from typing import Any

from pyspark.sql import DataFrame
from pyspark.sql import functions as F

from segspark.core.merit import best_lists


def map_samples(user_segments: DataFrame, schemes: Sequence[str], sample_points: int, seed: int) -> DataFrame:
    """At most `sample_points` users of each scheme, chosen by a hash of the id: scheme, segment_id, x and y.

    The same users whatever the partitioning, each scheme's in the order of the hash, so that no segment is drawn over
    the others.
    """
    draw = F.xxhash64(F.lit(seed), F.col("user_id")).alias("draw")
    place = [F.col("pca")[0].alias("x"), F.col("pca")[1].alias("y")]
    placed = user_segments.where(F.size("pca") >= 2).select("scheme", "segment_id", *place, draw, "user_id")
    samples = [
        placed.where(F.col("scheme") == scheme).orderBy("draw", "user_id").limit(sample_points) for scheme in schemes
    ]
    return reduce(DataFrame.unionByName, samples).drop("draw", "user_id")


def example_users(user_segments: DataFrame, recommendations: DataFrame, scheme: str, seed: int) -> DataFrame:
    """One row per segment of the scheme: the `user_id` who is drawn by a hash among those with recommendations."""
    draw = F.struct(F.xxhash64(F.lit(seed), F.col("user_id")), F.col("user_id"))
    served = recommendations.where("rank = 1").select("user_id")
    members = user_segments.where(F.col("scheme") == scheme).select("scheme", "segment_id", "user_id")
    drawn = members.join(served, on="user_id", how="left_semi").groupBy("scheme", "segment_id")
    return drawn.agg(F.min_by("user_id", draw).alias("user_id"))


def example_lists(
    users: DataFrame,
    recommendations: DataFrame,
    metrics: Collection[Mapping[str, Any]],
    features: DataFrame,
    size: int,
) -> DataFrame:
    """The first `size` items for each of a few users by the best judged method that they have, without their ids.

    One row per user and item: scheme, segment_id, rank, item_id, reason, and the user's features. `metrics` are rows
    of recommendation_metrics, `features` has user_id and features.
    """
    few = F.broadcast(users)
    lists = best_lists(recommendations.where(F.col("rank") <= size).join(few, on="user_id", how="inner"), metrics)
    known = features.join(few, on="user_id", how="left_semi")
    told = lists.join(F.broadcast(known), on="user_id", how="left")
    names = [name for name in features.columns if name != "user_id"]
    return told.select("scheme", "segment_id", "rank", "item_id", "reason", *names)


def quarantine_reasons(quarantine: DataFrame, ingest_seq: int, reasons: int) -> DataFrame:
    """The most frequent reasons why rows of the run's files were set aside: source, reason, count."""
    seen = quarantine.where(F.col("ingest_seq") <= ingest_seq)
    counts = seen.groupBy("source", "reason").count()
    return counts.orderBy(F.desc("count"), "source", "reason").limit(reasons)
