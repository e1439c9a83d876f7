"""Explicit ratings: predicted, and how far off."""

from __future__ import annotations

from datetime import date

import pyarrow as pa
from pyspark.ml.recommendation import ALSModel
from pyspark.sql import DataFrame
from pyspark.sql import functions as F

from segspark.recommend.judging.bootstrap import Estimate, Figures, Key, resample

MODEL, BASELINE = "als_explicit", "item_mean"


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


def item_means(train: DataFrame) -> DataFrame:
    """item_no and mean_rating, the mean of its ratings in `weight`."""
    return train.groupBy("item_no").agg(F.avg("weight").alias("mean_rating"))


def around_means(train: DataFrame, means: DataFrame) -> DataFrame:
    """The same rows with `weight` as the distance from the item's mean.

    Regularised factors pull predictions towards 0, which is only right when 0 is what to expect.
    """
    return train.join(means, on="item_no", how="inner").withColumn("weight", F.col("weight") - F.col("mean_rating"))


def predicted(model: ALSModel, means: DataFrame, test: DataFrame) -> DataFrame:
    """user_no and the errors of both on each rating of `test` (user_no, item_no, weight) whose user and item are known.

    The model was fitted around `means`. Columns als_explicit and item_mean are prediction - rating.
    """
    known = model.transform(test).join(means, on="item_no", how="inner")
    off = F.col("mean_rating") - F.col("weight")
    return known.select("user_no", (off + F.col("prediction")).alias(MODEL), off.alias(BASELINE))


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
