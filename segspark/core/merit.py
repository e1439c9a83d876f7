"""Whose list a user is shown where several methods made one: that of the method which was judged best."""

from collections.abc import Iterable, Mapping
from typing import Any

from pyspark.sql import Column, DataFrame, Window
from pyspark.sql import functions as F

METRIC = "ndcg_at_k"


def best_lists(recommendations: DataFrame, metrics: Iterable[Mapping[str, Any]]) -> DataFrame:
    """The rows of `recommendations` by the method with the highest NDCG at the longest k of those that serve the user.

    `metrics` are the run's rows of recommendation_metrics. Methods that were not judged come last; ties go by the
    alphabet.
    """
    order = F.struct(-_merit(merits(metrics)), F.col("method"))
    best = F.min(order).over(Window.partitionBy("user_id"))
    return recommendations.withColumn("__best", best).where(F.col("__best") == order).drop("__best")


def merits(metrics: Iterable[Mapping[str, Any]]) -> dict[str, float]:
    """The NDCG of each judged method at its longest k."""
    judged = sorted((row for row in metrics if row["metric"] == METRIC), key=lambda row: row["k"])
    longest = {row["method"]: row["value"] for row in judged}
    return {method: value for method, value in longest.items() if value is not None}


def _merit(judged: Mapping[str, float]) -> Column:
    merit = F.lit(float("-inf"))
    for method, value in judged.items():
        merit = F.when(F.col("method") == method, F.lit(value)).otherwise(merit)
    return merit
