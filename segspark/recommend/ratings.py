"""Explicit ratings: predicted, and how far off."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date

from pyspark.ml.recommendation import ALSModel
from pyspark.sql import DataFrame
from pyspark.sql import functions as F


@dataclass(frozen=True)
class RatingError:
    """Root mean squared errors on the same held-out ratings. `baseline` predicts the item's mean train rating."""

    rmse: float
    baseline: float
    users: int


def last_ratings(ratings: DataFrame, start: date | None, end: date) -> DataFrame:
    """user_id, item_id and weight: the last finite rating of each pair on days from `start` up to before `end`."""
    is_usable = F.col("rating").isNotNull() & ~F.isnan("rating") & (F.abs("rating") < float("inf"))
    in_time = F.col("rated_at") < F.lit(end).cast("timestamp")
    if start is not None:
        in_time &= F.col("rated_at") >= F.lit(start).cast("timestamp")
    newest = F.max_by("rating", F.struct("rated_at", "rating")).alias("weight")
    return ratings.where(is_usable & in_time).groupBy("user_id", "item_id").agg(newest)


def item_means(train: DataFrame) -> DataFrame:
    """item_no and mean_rating, the mean of its ratings in `weight`."""
    return train.groupBy("item_no").agg(F.avg("weight").alias("mean_rating"))


def around_means(train: DataFrame, means: DataFrame) -> DataFrame:
    """The same rows with `weight` as the distance from the item's mean.

    Regularised factors pull predictions towards 0, which is only right when 0 is what to expect.
    """
    return train.join(means, on="item_no", how="inner").withColumn("weight", F.col("weight") - F.col("mean_rating"))


def rating_error(model: ALSModel, means: DataFrame, test: DataFrame) -> RatingError | None:
    """The error on `test` (user_no, item_no, weight) of a model fitted around `means`; None where no pair is known.

    Only pairs whose user and item the model knows are judged.
    """
    judged = model.transform(test).join(means, on="item_no", how="inner")
    rest = F.col("weight") - F.col("mean_rating")
    of_als = F.avg(F.pow(rest - F.col("prediction"), 2)).alias("als")
    of_mean = F.avg(F.pow(rest, 2)).alias("mean")
    row = judged.agg(of_als, of_mean, F.countDistinct("user_no").alias("users")).first()
    if row is None or row["als"] is None:
        return None
    return RatingError(round(row["als"] ** 0.5, 8), round(row["mean"] ** 0.5, 8), row["users"])
