"""Dense numbers for ids, in the order of the ids."""

from dataclasses import dataclass

from pyspark.sql import DataFrame, Window
from pyspark.sql import functions as F

from segspark.recommend.sizes import id_buckets

SAMPLE_PER_BUCKET = 64  # ids that decide where one range ends: a bounded sample, chosen by hash


@dataclass(frozen=True)
class Sizes:
    """How many rows interactions have, and about how many users and items (HyperLogLog++)."""

    pairs: int
    users: int
    items: int


def sizes_of(interactions: DataFrame) -> Sizes:
    """The sizes of user_id, item_id pairs, each pair once."""
    users, items = F.approx_count_distinct("user_id"), F.approx_count_distinct("item_id")
    row = interactions.agg(F.count(F.lit(1)), users, items).first()
    assert row is not None  # an aggregate without groups always has a row
    return Sizes(*row)


def number_both(interactions: DataFrame, sizes: Sizes) -> tuple[DataFrame, DataFrame]:
    """The users (user_id, user_no) and the items (item_id, item_no) of the interactions."""
    users = number_ids(interactions, "user_id", "user_no", id_buckets(sizes.users))
    return users, number_ids(interactions, "item_id", "item_no", id_buckets(sizes.items))


def number_ids(ids: DataFrame, id_column: str, number_column: str, buckets: int) -> DataFrame:
    """One row per distinct id: the id and its number (int), from 0 without gaps, in the binary order of the ids.

    Ranges of ids are numbered apart and shifted by the sizes of the ranges before; their bounds come from a sample of
    at most 64 ids per range, chosen by hash, that stays inside Spark. `buckets` changes the work, not the numbers.
    """
    distinct = ids.select(id_column).distinct()
    ranged = _assign_ranges(distinct, id_column, buckets)
    in_range = F.row_number().over(Window.partitionBy("range_no").orderBy(id_column))
    sizes = ranged.groupBy("range_no").count()
    before = Window.orderBy("range_no").rowsBetween(Window.unboundedPreceding, -1)  # one row per range: a few
    offsets = sizes.select("range_no", F.coalesce(F.sum("count").over(before), F.lit(0)).alias("offset"))
    numbered = ranged.withColumn("in_range", in_range).join(F.broadcast(offsets), on="range_no", how="inner")
    return numbered.select(id_column, (F.col("offset") + F.col("in_range") - 1).cast("int").alias(number_column))


def _assign_ranges(distinct: DataFrame, id_column: str, buckets: int) -> DataFrame:
    if buckets == 1:
        return distinct.withColumn("range_no", F.lit(0))
    sample = distinct.orderBy(F.xxhash64(id_column), id_column).limit(buckets * SAMPLE_PER_BUCKET)
    ordered = F.sort_array(F.collect_list(id_column))
    cuts = sample.agg(F.filter(ordered, lambda _, i: (i % SAMPLE_PER_BUCKET) == SAMPLE_PER_BUCKET - 1).alias("cuts"))
    position = F.size(F.filter("cuts", lambda cut: cut < F.col(id_column)))
    return distinct.crossJoin(F.broadcast(cuts)).select(id_column, position.alias("range_no"))
