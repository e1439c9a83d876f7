"""Explicit ratings: predicted, and how far off."""

from __future__ import annotations

from datetime import date

import pyarrow as pa
from pyspark.ml.recommendation import ALSModel
from pyspark.sql import Column, DataFrame, Window
from pyspark.sql import functions as F
from pyspark.sql.window import WindowSpec

from segspark.recommend.interactions import MICRO
from segspark.recommend.judging.bootstrap import Estimate, Figures, Key, resample

MODEL, BASELINE = "als_explicit", "item_mean"
SHRINKAGE = 5  # ratings' worth of the overall mean that every item and user has beside their own


def last_ratings(ratings: DataFrame, end: date) -> DataFrame:
    """user_id, item_id, weight and last_at: the last finite rating of each pair before the day `end`.

    `last_at` is when it was given.
    """
    in_time = F.col("rated_at") < F.lit(end).cast("timestamp")
    pairs = ratings.where(_is_usable() & in_time).groupBy("user_id", "item_id")
    newest = F.max_by("rating", F.struct("rated_at", "rating"))  # the higher of two at one time
    return pairs.agg(newest.alias("weight"), F.max("rated_at").alias("last_at"))


def last_ratings_of_parts(ratings: DataFrame, split: date, end: date) -> DataFrame:
    """user_id and item_id, `weight`, the last finite rating before the day `split`, and `tested`, the last from then on
    and before `end`; null where there is none.
    """
    times = [F.lit(each).cast("timestamp") for each in (split, end)]
    was_known = F.col("rated_at") < times[0]
    pairs = ratings.where(_is_usable() & (F.col("rated_at") < times[1])).groupBy("user_id", "item_id")
    known, held_out = (F.when(part, F.struct("rated_at", "rating")) for part in (was_known, ~was_known))
    return pairs.agg(F.max_by("rating", known).alias("weight"), F.max_by("rating", held_out).alias("tested"))


def _is_usable() -> Column:
    return F.col("rating").isNotNull() & ~F.isnan("rating") & (F.abs("rating") < float("inf"))


def mean_rating(sum_of_micros: int, count: int) -> float:
    """The mean of so many ratings, from their sum in whole millionths; 0 where there is none."""
    return sum_of_micros / float(MICRO) / count if count else 0.0


def with_expected(pairs: DataFrame, overall: float) -> DataFrame:
    """The rows whose user and item have a rating, with `expected` and the item's `mean_rating`.

    `pairs` has user_no, item_no, `weight`, a rating or null, and each pair once; `overall` is the mean of the ratings.
    What to expect before any taste is known: the mean, and how far the item and the user are off it (Koren 2008,
    section 2.1, by sums rather than by descent). An item's offset is the sum of its ratings' distances from the mean
    over their number + 5; a user's the same of what is then left: few ratings say little.
    """
    of_item, of_user = Window.partitionBy("item_no"), Window.partitionBy("user_no")
    off = F.col("weight") - F.lit(overall)
    rows = pairs.withColumns({"item_offset": _shrunk(off, of_item), "mean_rating": _mean(of_item)})
    rows = rows.withColumn("user_offset", _shrunk(off - F.col("item_offset"), of_user))
    expected = F.lit(overall) + F.col("item_offset") + F.col("user_offset")
    return rows.withColumn("expected", expected).where("expected IS NOT NULL").drop("item_offset", "user_offset")


def around_expected(known: DataFrame) -> DataFrame:
    """user_no, item_no and the distance of each rating from what to expect as `weight`, from rows of `with_expected`.

    Regularised factors pull predictions towards 0, which is only right when 0 is what to expect.
    """
    distance = (F.col("weight") - F.col("expected")).alias("weight")
    return known.where("weight IS NOT NULL").select("user_no", "item_no", distance)


def predicted(model: ALSModel, known: DataFrame) -> DataFrame:
    """user_no and the errors of both on each rating `tested` of `known`, which is as `with_expected` made it.

    The model was fitted around `expected`. Columns als_explicit and item_mean are prediction - rating.
    """
    asked = model.transform(known.where("tested IS NOT NULL"))
    of_model = F.col("expected") + F.col("prediction") - F.col("tested")
    return asked.select("user_no", of_model.alias(MODEL), (F.col("mean_rating") - F.col("tested")).alias(BASELINE))


def _mean(rows: WindowSpec) -> Column:
    return micros(F.col("weight")).over(rows) / F.lit(float(MICRO)) / F.count("weight").over(rows)


def _shrunk(value: Column, rows: WindowSpec) -> Column:
    return micros(value).over(rows) / F.lit(float(MICRO)) / (F.count(value).over(rows) + SHRINKAGE)


def micros(value: Column) -> Column:
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
