"""Ratings predicted from those of neighbours."""

from __future__ import annotations

from collections.abc import Callable

from pyspark.sql import Column, DataFrame
from pyspark.sql import functions as F

from segspark.recommend.neighbours.measures import exact_mean


def predict_ratings(pairs: DataFrame, ratings: DataFrame, neighbours: DataFrame, row: str, column: str) -> DataFrame:
    """The pairs (user_no, item_no) with `prediction`, by mean-centred weighted neighbours (Resnick et al. 1994).

    By users with row="user_no", column="item_no", by items the other way round. `ratings` has user_no, item_no and
    weight, each pair once; those that are not finite are left out. `neighbours` are those of each row, as NEIGHBOURS of
    similarity, kept with those below 0. prediction = the row's mean + sum over its neighbours n that have a rating in
    the column of similarity * (rating - n's mean) / sum of |similarity|; the row's mean where no neighbour has one.
    Pairs whose row has no rating at all are left out. A prediction may lie outside the scale of the ratings.
    """
    usable = ratings.where(F.abs("weight") < float("inf")).select(row, column, "weight")
    means = usable.groupBy(row).agg(exact_mean("weight").alias("mean"))
    around = usable.join(means, on=row, how="inner").withColumn("distance", F.col("weight") - F.col("mean"))
    others = around.select(F.col(row).alias("neighbour_no"), column, "distance")
    asked = pairs.select(row, column).distinct().join(means, on=row, how="inner")
    near = neighbours.select(F.col("row_no").alias(row), "neighbour_no", "similarity")
    found = asked.join(near, on=row, how="inner").join(others, on=["neighbour_no", column], how="inner")
    votes = F.array_sort(F.collect_list(F.struct("neighbour_no", "similarity", "distance")))  # one order of summing
    shifts = found.groupBy(row, column).agg(votes.alias("votes"))
    together = _sum("votes", lambda vote: vote["similarity"] * vote["distance"])
    weight = _sum("votes", lambda vote: F.abs(vote["similarity"]))
    shifts = shifts.select(row, column, (together / weight).alias("shift"))
    predicted = asked.join(shifts, on=[row, column], how="left")
    prediction = F.col("mean") + F.coalesce("shift", F.lit(0.0))
    return predicted.select("user_no", "item_no", prediction.alias("prediction"))


def _sum(array: str, value: Callable[[Column], Column]) -> Column:
    return F.aggregate(array, F.lit(0.0), lambda total, each: total + value(each))
