"""Explicit ratings: predicted, and how far off."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date

import pyarrow as pa
from pyspark.ml.recommendation import ALSModel
from pyspark.sql import Column, DataFrame
from pyspark.sql import functions as F

from segspark.recommend.interactions import MICRO
from segspark.recommend.judging.bootstrap import Estimate, Figures, Key, resample

MODEL, BASELINE = "als_explicit", "item_mean"
SHRINKAGE = 5  # ratings' worth of the overall mean that every item and user has beside their own


def last_ratings(ratings: DataFrame, start: date | None, end: date) -> DataFrame:
    """user_id, item_id, weight and last_at: the last finite rating of each pair, from day `start` up to before `end`.

    `last_at` is when it was given.
    """
    is_usable = F.col("rating").isNotNull() & ~F.isnan("rating") & (F.abs("rating") < float("inf"))
    in_time = F.col("rated_at") < F.lit(end).cast("timestamp")
    if start is not None:
        in_time &= F.col("rated_at") >= F.lit(start).cast("timestamp")
    newest = F.max_by("rating", F.struct("rated_at", "rating")).alias("weight")
    pairs = ratings.where(is_usable & in_time).groupBy("user_id", "item_id")
    return pairs.agg(newest, F.max("rated_at").alias("last_at"))


@dataclass(frozen=True)
class Expected:
    """What to expect of a rating before any taste is known: the mean, and how far the item and the user are off it."""

    overall: float
    items: DataFrame  # item_no, item_offset and mean_rating
    users: DataFrame  # user_no and user_offset


def expected_ratings(train: DataFrame) -> Expected:
    """From user_no, item_no and `weight`, a rating (Koren 2008, section 2.1, by sums rather than by descent).

    An item's offset is the sum of its ratings' distances from the mean over their number + 5; a user's the same of what
    is then left: few ratings say little. Works through checkpoints; the mean alone is collected.
    """
    overall = float(train.agg(_mean(F.col("weight"))).first()[0] or 0.0)  # type: ignore[index]
    off = F.col("weight") - F.lit(overall)
    items = train.groupBy("item_no").agg(_shrunk(off).alias("item_offset"), _mean(F.col("weight")).alias("mean_rating"))
    items = items.checkpoint()
    rest = train.join(items, on="item_no", how="inner").withColumn("rest", off - F.col("item_offset"))
    users = rest.groupBy("user_no").agg(_shrunk(F.col("rest")).alias("user_offset"))
    return Expected(overall, items, users.checkpoint())


def around_expected(train: DataFrame, expected: Expected) -> DataFrame:
    """The same rows with `weight` as the distance from what to expect.

    Regularised factors pull predictions towards 0, which is only right when 0 is what to expect.
    """
    known = with_expected(train, expected)
    return known.withColumn("weight", F.col("weight") - F.col("expected")).select(train.columns)


def with_expected(pairs: DataFrame, expected: Expected) -> DataFrame:
    """The rows whose user and item are known, with `expected` and the item's `mean_rating`."""
    known = pairs.join(expected.items, on="item_no", how="inner").join(expected.users, on="user_no", how="inner")
    rating = F.lit(expected.overall) + F.col("item_offset") + F.col("user_offset")
    return known.withColumn("expected", rating).drop("item_offset", "user_offset")


def predicted(model: ALSModel, expected: Expected, test: DataFrame) -> DataFrame:
    """user_no and the errors of both on each rating of `test` (user_no, item_no, weight) whose user and item are known.

    The model was fitted around `expected`. Columns als_explicit and item_mean are prediction - rating.
    """
    known = with_expected(model.transform(test), expected)
    of_model = F.col("expected") + F.col("prediction") - F.col("weight")
    return known.select("user_no", of_model.alias(MODEL), (F.col("mean_rating") - F.col("weight")).alias(BASELINE))


def _mean(value: Column) -> Column:
    return _micros(value) / F.lit(float(MICRO)) / F.count(F.lit(1))


def _shrunk(value: Column) -> Column:
    return _micros(value) / F.lit(float(MICRO)) / (F.count(F.lit(1)) + SHRINKAGE)


def _micros(value: Column) -> Column:
    """The sum in whole millionths: the same in whatever order the rows come."""
    return F.sum(F.round(value * MICRO).cast("bigint"))


def rating_errors(errors: DataFrame, rounds: int, seed: int) -> dict[Key, Estimate]:
    """rmse and mae of both over all ratings in `errors`, as `predicted` makes them; empty where there is none.

    rmse is the root of the mean squared error, mae the mean absolute error, each over ratings, as in scikit-learn.
    Intervals are over users: a user who is drawn brings all ratings.
    """
    columns = [F.count(F.lit(1)).cast("double").alias("ratings")]
    for name in (MODEL, BASELINE):
        columns += [F.sum(F.pow(name, F.lit(2.0))).alias(f"{name} rmse"), F.sum(F.abs(name)).alias(f"{name} mae")]
    return resample(errors.groupBy("user_no").agg(*columns), _sums, rounds, seed, roots=("rmse",))


def _sums(batch: pa.RecordBatch) -> dict[Key, Figures]:
    """Each user's summed error over the user's ratings."""
    ratings = batch.column("ratings").to_numpy()
    return {
        (name, metric): Figures(batch.column(f"{name} {metric}").to_numpy(), ratings)
        for name in (MODEL, BASELINE)
        for metric in ("rmse", "mae")
    }
