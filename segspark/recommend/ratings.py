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


def rating_error(model: ALSModel, train: DataFrame, test: DataFrame) -> RatingError | None:
    """The error on `test` (user_no, item_no, weight) of a model fitted on `train`; None where no pair can be predicted.

    Only pairs whose user and item are both in `train` are judged.
    """
    means = train.groupBy("item_no").agg(F.avg("weight").alias("mean_rating"))
    judged = model.transform(test).join(means, on="item_no", how="inner")
    of_als = F.avg(F.pow(F.col("prediction") - F.col("weight"), 2)).alias("als")
    of_mean = F.avg(F.pow(F.col("mean_rating") - F.col("weight"), 2)).alias("mean")
    row = judged.agg(of_als, of_mean, F.countDistinct("user_no").alias("users")).first()
    if row is None or row["als"] is None:
        return None
    return RatingError(round(row["als"] ** 0.5, 8), round(row["mean"] ** 0.5, 8), row["users"])
