"""Lists by a product of a user's and an item's vector."""

from __future__ import annotations

from collections.abc import Iterable

from pyspark.sql import Column, DataFrame
from pyspark.sql import functions as F

from segspark.recommend.interactions import MICRO, popularity
from segspark.recommend.methods.method import Answer, Method, Settings, Train, Wanted, of_wanted
from segspark.recommend.vectors import Factors


def by_als(train: Train, wanted: Wanted, settings: Settings) -> Answer:
    """Implicit ALS."""
    return Answer(factors=Factors(of_wanted(train.factors.users, wanted), train.factors.items))


def by_popularity(train: Train, wanted: Wanted, settings: Settings) -> Answer:
    """The items of the highest summed weight, the same for everybody up to what each leaves out."""
    items = popularity(train.weighed, "item_no").select("item_no", F.array("popularity").alias("factors"))
    users = train.users_of(wanted).select("user_no", F.array(F.lit(1.0)).alias("factors"))
    return Answer(factors=Factors(users, items))


def by_segment(segments: DataFrame, segment_ids: Iterable[int]) -> Method:
    """The items of the highest summed weight among the user's segment, then those that only others took.

    `segments` is user_id and segment_id, each user once; who is in none gets what is popular with everybody.
    """
    ids = sorted(segment_ids)

    def by_segment_popularity(train: Train, wanted: Wanted, settings: Settings) -> Answer:
        placed = segments.join(train.user_index, on="user_id", how="inner").select("user_no", "segment_id")
        weighed = train.weighed.join(placed, on="user_no", how="left")
        items = weighed.groupBy("item_no").agg(_popularity_vector(ids).alias("factors"))
        is_in = [F.when(F.col("segment_id") == each, 1.0).otherwise(0.0) for each in ids]
        is_in_none = F.when(F.col("segment_id").isNull(), 1.0).otherwise(0.0)
        users = train.users_of(wanted).join(placed, on="user_no", how="left")
        users = users.select("user_no", F.array(*is_in, is_in_none).alias("factors"))
        return Answer(factors=Factors(users, items))

    return by_segment_popularity


def _popularity_vector(segment_ids: list[int]) -> Column:
    """An item's score in each segment, and last for everybody.

    What nobody in the segment took scores below 0, in the order of what is popular with everybody.
    """
    micros = F.round(F.col("weight") * MICRO).cast("bigint")
    overall = F.sum(micros) / F.lit(float(MICRO))
    below = -MICRO / (1 + overall)
    inside = [F.sum(F.when(F.col("segment_id") == each, micros)) / F.lit(float(MICRO)) for each in segment_ids]
    return F.array(*(F.coalesce(each, below) for each in inside), overall)
