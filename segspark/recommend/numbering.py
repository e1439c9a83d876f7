"""Dense numbers for ids, in the order of the ids."""

from pyspark.sql import DataFrame, Window
from pyspark.sql import functions as F

from segspark.recommend.sizes import id_buckets

SAMPLE_PER_BUCKET = 64  # ids that decide where one range ends: a bounded sample, chosen by hash


def number_both(interactions: DataFrame, pairs: int) -> tuple[DataFrame, DataFrame]:
    """The users (user_id, user_no) and the items (item_id, item_no) of the interactions, which are so many pairs."""
    buckets = id_buckets(pairs)
    users = number_ids(interactions, "user_id", "user_no", buckets)
    return users, number_ids(interactions, "item_id", "item_no", buckets)


def number_ids(ids: DataFrame, id_column: str, number_column: str, buckets: int) -> DataFrame:
    """One row per distinct id: the id and its number (int), from 0 without gaps, in the binary order of the ids.

    Ranges of ids are numbered apart and shifted by the sizes of the ranges before; their bounds come from a sample of
    at most 64 ids per range, chosen by hash, that stays inside Spark. `buckets` changes the work, not the numbers.
    """
    distinct = ids.select(id_column).distinct()
    if buckets == 1:
        place = F.row_number().over(Window.partitionBy(F.lit(0)).orderBy(id_column))
        return distinct.select(id_column, (place - 1).alias(number_column))
    ranged = _assign_ranges(distinct, id_column, buckets)
    in_range = F.row_number().over(Window.partitionBy("range_no").orderBy(id_column))
    sizes = ranged.groupBy("range_no").count()
    before = Window.orderBy("range_no").rowsBetween(Window.unboundedPreceding, -1)  # one row per range: a few
    offsets = sizes.select("range_no", F.coalesce(F.sum("count").over(before), F.lit(0)).alias("offset"))
    numbered = ranged.withColumn("in_range", in_range).join(F.broadcast(offsets), on="range_no", how="inner")
    return numbered.select(id_column, (F.col("offset") + F.col("in_range") - 1).cast("int").alias(number_column))


def _assign_ranges(distinct: DataFrame, id_column: str, buckets: int) -> DataFrame:
    sample = distinct.orderBy(F.xxhash64(id_column), id_column).limit(buckets * SAMPLE_PER_BUCKET)
    ordered = F.sort_array(F.collect_list(id_column))
    cuts = sample.agg(F.filter(ordered, lambda _, i: (i % SAMPLE_PER_BUCKET) == SAMPLE_PER_BUCKET - 1).alias("cuts"))
    position = F.size(F.filter("cuts", lambda cut: cut < F.col(id_column)))
    return distinct.crossJoin(F.broadcast(cuts)).select(id_column, position.alias("range_no"))
