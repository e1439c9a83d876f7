"""Who is never contacted by a campaign, so that its effect can be told."""

from pyspark.sql import Column, DataFrame
from pyspark.sql import functions as F

from segspark.campaigns.planning.draws import uniform, with_place


def draw_members(people: DataFrame, count: int, known: DataFrame, campaign_id: str, share: float) -> DataFrame:
    """user_id, segment_name, holdout: one row per user who is in `people` (user_id, segment_name) or `known`.

    `people` are `count` at most. `known` has the rows of the campaign when it was planned before: they stay as they
    are, also of users who may not be contacted any more, and also where the user moved to another segment. Of the
    others so many are held out, in the order of a hash of campaign and user, that the share of a segment is met to less
    than one user.
    """
    new = people.join(known.select("user_id"), on="user_id", how="left_anti").select("user_id", "segment_name")
    placed = with_place(new.withColumn("__drawn", _drawn(campaign_id)), "segment_name", "__drawn", count)
    before = known.groupBy("segment_name").agg(F.count_if("holdout").alias("__held"), F.count(F.lit(1)).alias("__had"))
    both = placed.join(F.broadcast(before), on="segment_name", how="left")
    held, had = F.coalesce("__held", F.lit(0)), F.coalesce("__had", F.lit(0))
    wanted = F.round((had + F.col("__size")) * share) - held
    added = both.select("user_id", "segment_name", (F.col("__place") < wanted).alias("holdout"))
    return known.select("user_id", "segment_name", "holdout").unionByName(added)


def _drawn(campaign_id: str) -> Column:
    return uniform("holdout", campaign_id, F.col("user_id"))
