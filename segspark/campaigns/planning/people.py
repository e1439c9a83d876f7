"""Users as the plan looks at them: features, segment, consent, and what a conversion of theirs is worth."""

from collections.abc import Iterable

from pyspark.sql import Column, DataFrame
from pyspark.sql import functions as F

from segspark.core.checkpoints import map_of

DIGITS = 2  # of worth: users who are worth nearly the same are worth the same


def find_people(features: DataFrame, members: DataFrame, users: DataFrame, consent_assumed: bool) -> DataFrame:
    """The columns of user_features, segment_name, may_be_contacted and worth: one row per user of the scheme, no bots.

    `members` has user_id and segment_name; `users` is the log. Where nobody's consent is told and it is not assumed,
    nobody may be contacted. `worth` is what an order of the user costs on average, else of the segment, else of all.
    """
    consent = users.select("user_id", F.col("consent").alias("__consent"))
    known = features.where("NOT coalesce(is_bot, false)").join(members, on="user_id", how="inner")
    rows = known.join(consent, on="user_id", how="left")
    may = F.lit(True) if consent_assumed else F.coalesce("__consent", F.lit(False))
    means = rows.groupBy("segment_name").agg(F.avg(F.col("aov").cast("decimal(20,4)")).alias("__mean"))
    overall = means.agg(F.avg("__mean").alias("__overall"))
    with_means = rows.join(F.broadcast(means), on="segment_name", how="left").crossJoin(F.broadcast(overall))
    value = F.coalesce("aov", F.col("__mean").cast("double"), F.col("__overall").cast("double"), F.lit(1.0))
    worth = with_means.withColumn("may_be_contacted", may).withColumn("worth", _told(value))
    return worth.drop("__consent", "__mean", "__overall")


def worth_by_segment(segments: Iterable[str]) -> Column:
    """What a conversion is worth on average, over rows of `find_people`: a map by segment, null where nobody is."""
    worth = F.col("worth").cast("decimal(20,4)")
    return map_of({name: F.avg(F.when(F.col("segment_name") == name, worth)) for name in segments})


def _told(value: Column) -> Column:
    """The number to DIGITS digits; what is not above 0 counts as a hundredth."""
    positive = F.greatest(value, F.lit(0.01))
    unit = F.pow(F.lit(10.0), F.floor(F.log10(positive)) - (DIGITS - 1))
    return F.round(positive / unit) * unit
