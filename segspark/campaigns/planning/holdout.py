"""Who is never contacted by a campaign, so that its effect can be told."""

from pyspark.sql import Column, DataFrame
from pyspark.sql import functions as F

from segspark.campaigns.planning.draws import uniform, with_place


def draw_members(people: DataFrame, known: DataFrame, campaign_id: str, share: float) -> DataFrame:
    """user_id, segment_name, holdout: one row per user who is in `people` (user_id, segment_name) or `known`.

    `known` has the rows of the campaign when it was planned before: they stay as they are, also of users who may not be
    contacted any more, and also where the user moved to another segment. Of the others so many are held out, in the
    order of a hash of campaign and user, that the share of a segment is met to less than one user.
    """
    new = people.join(known.select("user_id"), on="user_id", how="left_anti").select("user_id", "segment_name")
    drawn = with_place(new.withColumn("__drawn", _drawn(campaign_id)), "segment_name", "__drawn", "__place")
    before = known.groupBy("segment_name").agg(F.count_if("holdout").alias("held"), F.count(F.lit(1)).alias("size"))
    sizes = new.groupBy("segment_name").agg(F.count(F.lit(1)).alias("more")).join(before, "segment_name", "left")
    held, size = F.coalesce("held", F.lit(0)), F.coalesce("size", F.lit(0))
    wanted = sizes.select("segment_name", (F.round((size + F.col("more")) * share) - held).alias("__wanted"))
    placed = drawn.join(F.broadcast(wanted), on="segment_name", how="inner")
    added = placed.select("user_id", "segment_name", (F.col("__place") < F.col("__wanted")).alias("holdout"))
    return known.select("user_id", "segment_name", "holdout").unionByName(added)


def _drawn(campaign_id: str) -> Column:
    return uniform("holdout", campaign_id, F.col("user_id"))
