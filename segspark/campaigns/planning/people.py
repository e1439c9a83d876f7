"""Users as the plan looks at them: features, segment, consent, and what a conversion of theirs is worth."""

from collections.abc import Mapping, Sequence
from decimal import Decimal

from pyspark.sql import Column, DataFrame
from pyspark.sql import functions as F

from segspark.campaigns.lookup import looked_up
from segspark.core.checkpoints import map_of

DIGITS = 2  # of worth: users who are worth nearly the same are worth the same


def find_people(features: DataFrame, members: DataFrame, users: DataFrame, consent_assumed: bool) -> DataFrame:
    """The columns of user_features, segment_name and may_be_contacted: one row per user of the scheme, no bots.

    `members` has user_id and segment_name; `users` is the log. Where nobody's consent is told and it is not assumed,
    nobody may be contacted.
    """
    consent = users.select("user_id", F.col("consent").alias("__consent"))
    known = features.where("NOT coalesce(is_bot, false)").join(members, on="user_id", how="inner")
    may = F.lit(True) if consent_assumed else F.coalesce("__consent", F.lit(False))
    return known.join(consent, on="user_id", how="left").withColumn("may_be_contacted", may).drop("__consent")


def people_counts(segments: Sequence[str]) -> dict[str, Column]:
    """Over rows of `find_people`: how many `may_be_contacted`, and the mean `aov` by segment, null where none tells."""
    return {"may_be_contacted": F.count_if("may_be_contacted"), "aov": _by_segment("aov", segments)}


def with_worth(people: DataFrame, aov: Mapping[str, Decimal | None]) -> DataFrame:
    """The people with `worth`: what an order of the user costs on average, else of the segment, else of all.

    `aov` is that of `people_counts`.
    """
    means = {name: float(mean) for name, mean in aov.items() if mean is not None}
    overall = sum(means.values()) / len(means) if means else 1.0
    value = F.coalesce("aov", looked_up(means, "segment_name", "double"), F.lit(overall))
    return people.withColumn("worth", _told(value))


def worth_by_segment(segments: Sequence[str]) -> Column:
    """What a conversion is worth on average, over rows with worth: a map by segment, null where nobody is."""
    return _by_segment("worth", segments)


def _by_segment(name: str, segments: Sequence[str]) -> Column:
    """Decimals, so that no order of the rows changes a bit."""
    value = F.col(name).cast("decimal(20,4)")
    return map_of({segment: F.avg(F.when(F.col("segment_name") == segment, value)) for segment in segments})


def _told(value: Column) -> Column:
    """The number to DIGITS digits; what is not above 0 counts as a hundredth."""
    positive = F.greatest(value, F.lit(0.01))
    unit = F.pow(F.lit(10.0), F.floor(F.log10(positive)) - (DIGITS - 1))
    return F.round(positive / unit) * unit
