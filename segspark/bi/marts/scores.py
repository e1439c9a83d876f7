"""What is told of a user without telling who they are: fifths and bands of recency, frequency and money."""

from collections.abc import Iterable, Mapping
from datetime import date
from typing import Any

from pyspark.sql import Column, DataFrame
from pyspark.sql import functions as F

from segspark.bi.marts.money import money

FIFTHS = 5
DIGITS = 3  # to which money is told when buyers are ranked by it: so the ranks are few, however many the users
MEASURES = ("recency", "frequency", "monetary")
Cuts = dict[str, dict[int, int]]  # by measure: the least rank of each score that any buyer has

RECENCY_BANDS = ((7, "1 to 7 days"), (30, "8 to 30 days"), (90, "31 to 90 days"), (365, "91 to 365 days"))
FREQUENCY_BANDS = ((1, "1 order"), (3, "2 to 3 orders"), (9, "4 to 9 orders"))
NEVER, OVER_A_YEAR, NONE, MANY = "never", "over a year", "no order", "10 orders or more"


def user_totals(months: DataFrame, people: DataFrame) -> DataFrame:
    """One row per user of `people` (user_id): orders, wholes, wholes_30d, first_order_month and last_order_day."""
    ordered_in = F.when(F.col("orders") > 0, F.col("month"))
    totals = months.groupBy("user_id").agg(
        F.sum("orders").alias("orders"),
        F.sum("wholes").alias("wholes"),
        F.sum("wholes_30d").alias("wholes_30d"),
        F.min(ordered_in).alias("first_order_month"),
        F.max("last_order_day").alias("last_order_day"),
    )
    return people.join(totals, on="user_id", how="left").fillna(0, subset=["orders", "wholes", "wholes_30d"])


def count_ranks(totals: DataFrame, as_of: date) -> DataFrame:
    """measure, rank and users: how many buyers are alike. At most some thousand rows."""
    ranks = _ranks(as_of)
    pairs = F.explode(
        F.array(*(F.struct(F.lit(name).alias("measure"), ranks[name].alias("rank")) for name in MEASURES))
    )
    buyers = totals.where(F.col("orders") > 0)
    return buyers.select(pairs.alias("pair")).groupBy("pair.measure", "pair.rank").agg(F.count(F.lit(1)).alias("users"))


def cut_fifths(ranks: Iterable[Mapping[str, Any]]) -> Cuts:
    """The least rank of each score, of the rows of `count_ranks`.

    A score is 1 and the whole fifths of buyers who rank lower. Equals have the same score, so a fifth may be missing.
    """
    users: dict[str, dict[int, int]] = {}
    for row in ranks:
        users.setdefault(row["measure"], {})[row["rank"]] = row["users"]
    return {measure: _cuts(by_rank) for measure, by_rank in users.items()}


def _cuts(users: Mapping[int, int]) -> dict[int, int]:
    """By score its least rank, of the buyers by rank."""
    total, lower = sum(users.values()), 0
    cuts: dict[int, int] = {}
    for rank in sorted(users):
        cuts.setdefault(lower * FIFTHS // total + 1, rank)
        lower += users[rank]
    return cuts


def describe(totals: DataFrame, cuts: Cuts, as_of: date) -> DataFrame:
    """The rows of the table user_facts, of those of `user_totals`; without user_key."""
    ranks = _ranks(as_of)
    scores = [_score(ranks[name], cuts.get(name, {})).alias(f"{name}_score") for name in MEASURES]
    return totals.select(
        "user_id",
        *scores,
        _band(_recency_days(as_of), RECENCY_BANDS, NEVER, OVER_A_YEAR).alias("recency_band"),
        _band(F.nullif(F.col("orders"), F.lit(0)), FREQUENCY_BANDS, NONE, MANY).alias("frequency_band"),
        "first_order_month",
        "orders",
        money(F.col("wholes")).alias("revenue"),
        money(F.col("wholes_30d")).alias("revenue_30d"),
    )


def _ranks(as_of: date) -> dict[str, Column]:
    """What buyers are ranked by, higher being better; whole numbers."""
    wholes = F.greatest("wholes", F.lit(0))
    step = F.pow(F.lit(10), F.greatest(F.length(wholes.cast("string")) - DIGITS, F.lit(0))).cast("bigint")
    values = {"recency": -_recency_days(as_of), "frequency": F.col("orders"), "monetary": wholes - wholes % step}
    return {name: value.cast("bigint") for name, value in values.items()}


def _recency_days(as_of: date) -> Column:
    return F.datediff(F.lit(as_of), "last_order_day")


def _score(rank: Column, least: dict[int, int]) -> Column:
    """The highest score whose least rank is reached; null for who never ordered."""
    score = F.lit(None).cast("int")
    for number in sorted(least):
        score = F.when(rank >= F.lit(least[number]), F.lit(number)).otherwise(score)
    return F.when(F.col("orders") > 0, score)


def _band(value: Column, bands: tuple[tuple[int, str], ...], unknown: str, beyond: str) -> Column:
    band = F.lit(beyond)
    for highest, name in reversed(bands):
        band = F.when(value <= highest, F.lit(name)).otherwise(band)
    return F.when(value.isNull(), F.lit(unknown)).otherwise(band)
