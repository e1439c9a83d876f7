"""What is popular, in a segment and overall: for users about whom nothing else is known."""

from __future__ import annotations

from dataclasses import dataclass

from pyspark.sql import DataFrame, Window
from pyspark.sql import functions as F
from pyspark.sql.window import WindowSpec

from segspark.recommend.interactions import popularity

EVERYBODY = -1  # the segment_id of the list of all users
IN_SEGMENT, OVERALL = "popular in your segment", "popular"


@dataclass(frozen=True)
class CategoryCap:
    """At most so many items of one category in a list, by `categories` (item_id, category); others have none."""

    categories: DataFrame
    most: int


def popular_items(
    interactions: DataFrame, segments: DataFrame, closed: DataFrame, length: int, cap: CategoryCap | None = None
) -> DataFrame:
    """One row per segment and place: segment_id, place from 1, item_id, score, reason and, with a cap, category.

    A segment's own list (items of its users by summed weight, ties by item_id) goes on with the overall list; the
    overall list alone has segment_id -1. Each has up to `length` distinct items, `closed` (item_id) never among them.
    """
    open_acts = interactions.where("weight > 0").join(closed, on="item_id", how="left_anti")
    everybody = _top(popularity(open_acts, "item_id").withColumn("segment_id", F.lit(EVERYBODY)), length, cap)
    in_segment = open_acts.join(segments.select("user_id", "segment_id"), on="user_id", how="inner")
    own = _top(popularity(in_segment, "segment_id", "item_id"), length, cap).withColumn("reason", F.lit(IN_SEGMENT))
    overall = everybody.withColumn("reason", F.lit(OVERALL))
    known = segments.select("segment_id").distinct()
    carried = overall.drop("segment_id").crossJoin(F.broadcast(known)).select(own.columns)
    is_repeated = Window.partitionBy("segment_id", "item_id").orderBy(F.col("reason") == OVERALL)
    merged = own.unionByName(carried).withColumn("copy", F.row_number().over(is_repeated)).where("copy = 1")
    order = Window.partitionBy("segment_id").orderBy(F.col("reason") == OVERALL, "place")
    joined = _placed(merged.drop("copy"), order, length, cap)
    return joined.unionByName(overall).withColumnRenamed("popularity", "score")


def people_without_vector(user_features: DataFrame, user_index: DataFrame) -> DataFrame:
    """user_id of the users that are in no index, without bots."""
    people = user_features.where("NOT coalesce(is_bot, false)").select("user_id")
    return people.join(user_index, on="user_id", how="left_anti")


def lists_for_cold_users(
    cold: DataFrame,
    segments: DataFrame,
    popular: DataFrame,
    seen: DataFrame,
    top_n: int,
    max_per_category: int | None = None,
) -> DataFrame:
    """One row per user of `cold` (user_id) and place: user_id, rank, item_id, score, reason.

    The user's segment's list, else everybody's, without the user's pairs in `seen` (user_id, item_id). It is complete
    where `popular` is longer than top_n, and its cap higher than `max_per_category`, by as many items as a cold user
    can have seen, and so for each place of the list with a cap.
    """
    placed = cold.join(segments.select("user_id", "segment_id"), on="user_id", how="left")
    placed = placed.fillna(EVERYBODY, subset=["segment_id"])
    offered = placed.join(F.broadcast(popular), on="segment_id", how="inner")
    offered = offered.join(seen, on=["user_id", "item_id"], how="left_anti")
    if max_per_category is not None:
        offered = within_cap(offered, Window.partitionBy("user_id", "category").orderBy("place"), max_per_category)
    rank = F.row_number().over(Window.partitionBy("user_id").orderBy("place"))
    ranked = offered.withColumn("rank", rank).where(F.col("rank") <= top_n)
    return ranked.select("user_id", "rank", "item_id", "score", "reason")


def within_cap(ranked: DataFrame, in_category: WindowSpec, most: int) -> DataFrame:
    """The rows that are among the first `most` of their window, or have no category."""
    counted = ranked.withColumn("in_category", F.row_number().over(in_category))
    return counted.where(F.col("category").isNull() | (F.col("in_category") <= most)).drop("in_category")


def _top(scored: DataFrame, length: int, cap: CategoryCap | None) -> DataFrame:
    if cap is not None:
        scored = scored.join(cap.categories, on="item_id", how="left")
    return _placed(scored, Window.partitionBy("segment_id").orderBy(F.desc("popularity"), "item_id"), length, cap)


def _placed(scored: DataFrame, order: WindowSpec, length: int, cap: CategoryCap | None) -> DataFrame:
    """The first `length` of each segment's list in that order, or of what the cap leaves of it, with a new `place`."""
    placed = scored.withColumn("place", F.row_number().over(order))
    if cap is not None:
        left = within_cap(placed, Window.partitionBy("segment_id", "category").orderBy("place"), cap.most)
        placed = left.withColumn("place", F.row_number().over(Window.partitionBy("segment_id").orderBy("place")))
    return placed.where(F.col("place") <= length)
