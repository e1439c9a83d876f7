"""Numbers that look drawn and are not: functions of a purpose, a campaign and a user, whatever the partitions."""

from pyspark.sql import Column, DataFrame, Window
from pyspark.sql import functions as F

BITS = 53  # of a double's fraction
BUCKET_BITS = 10  # 1,024 buckets of hashes: each is ranked by itself


def uniform(*keys: str | Column) -> Column:
    """A number from 0 to below 1 by the hash of the keys; a text key stands for itself."""
    hashed = F.xxhash64(*(F.lit(key) if isinstance(key, str) else key for key in keys))
    return F.shiftrightunsigned(hashed, 64 - BITS) / F.lit(float(2**BITS))


def with_place(frame: DataFrame, group: str, drawn: str, place: str) -> DataFrame:
    """The frame with each row's place in its group, from 0, in the order of `drawn` (uniform) and then `user_id`.

    Rows are ranked within buckets of the drawn number, and shifted by the sizes of the buckets before: no task holds a
    whole group.
    """
    bucketed = frame.withColumn("__bucket", F.floor(F.col(drawn) * (1 << BUCKET_BITS)).cast("int"))
    sizes = bucketed.groupBy(group, "__bucket").agg(F.count(F.lit(1)).alias("__size"))
    before = Window.partitionBy(group).orderBy("__bucket").rowsBetween(Window.unboundedPreceding, -1)
    offsets = sizes.select(group, "__bucket", F.coalesce(F.sum("__size").over(before), F.lit(0)).alias("__offset"))
    inside = F.row_number().over(Window.partitionBy(group, "__bucket").orderBy(drawn, "user_id"))
    ranked = bucketed.withColumn("__inside", inside).join(F.broadcast(offsets), on=[group, "__bucket"], how="inner")
    return ranked.withColumn(place, F.col("__offset") + F.col("__inside") - 1).select(*frame.columns, place)
