"""Numbers that look drawn and are not: functions of a purpose, a campaign and a user, whatever the partitions."""

from pyspark.sql import Column, DataFrame, Window
from pyspark.sql import functions as F

from segspark.campaigns.planning.ranking import LONG

BITS = 53  # of a double's fraction
BUCKET_BITS = 10  # 1,024 buckets of hashes: each is ranked by itself


def uniform(*keys: str | Column) -> Column:
    """A number from 0 to below 1 by the hash of the keys; a text key stands for itself."""
    hashed = F.xxhash64(*(F.lit(key) if isinstance(key, str) else key for key in keys))
    return F.shiftrightunsigned(hashed, 64 - BITS) / F.lit(float(2**BITS))


def with_place(frame: DataFrame, group: str, drawn: str, count: int) -> DataFrame:
    """The `count` rows of the frame with `__place`, from 0, in the order of `drawn` (uniform) and then `user_id`, and
    `__size`, how many there are: both of the row's group.

    Where one task must not rank a whole group, rows are ranked within buckets of the drawn number, and shifted by the
    sizes of the buckets before.
    """
    return _by_group(frame, group, drawn) if count <= LONG else _by_bucket(frame, group, drawn)


def _by_group(frame: DataFrame, group: str, drawn: str) -> DataFrame:
    rows = Window.partitionBy(group)
    place = F.row_number().over(rows.orderBy(drawn, "user_id")) - 1
    return frame.withColumns({"__place": place, "__size": F.count(F.lit(1)).over(rows)})


def _by_bucket(frame: DataFrame, group: str, drawn: str) -> DataFrame:
    bucketed = frame.withColumn("__bucket", F.floor(F.col(drawn) * (1 << BUCKET_BITS)).cast("int"))
    sizes = bucketed.groupBy(group, "__bucket").agg(F.count(F.lit(1)).alias("__in_bucket"))
    rows = Window.partitionBy(group)
    before = rows.orderBy("__bucket").rowsBetween(Window.unboundedPreceding, -1)
    offsets = sizes.select(
        group,
        "__bucket",
        F.coalesce(F.sum("__in_bucket").over(before), F.lit(0)).alias("__offset"),
        F.sum("__in_bucket").over(rows).alias("__size"),
    )
    inside = F.row_number().over(Window.partitionBy(group, "__bucket").orderBy(drawn, "user_id"))
    ranked = bucketed.withColumn("__inside", inside).join(F.broadcast(offsets), on=[group, "__bucket"], how="inner")
    place = F.col("__offset") + F.col("__inside") - 1
    return ranked.withColumn("__place", place).select(*frame.columns, "__place", "__size")
