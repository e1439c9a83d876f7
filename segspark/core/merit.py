"""Whose list a user is shown where several methods made one: that of the method which was judged best."""

from pyspark.sql import DataFrame, Window
from pyspark.sql import functions as F

METRIC = "ndcg_at_k"


def best_lists(recommendations: DataFrame, metrics: DataFrame) -> DataFrame:
    """The rows of `recommendations` by the method with the highest NDCG at the longest k of those that serve the user.

    `metrics` are the run's recommendation_metrics. Methods that were not judged come last; ties go by the alphabet.
    """
    judged = metrics.where(F.col("metric") == METRIC).groupBy("method").agg(F.max_by("value", "k").alias("__merit"))
    known = recommendations.join(F.broadcast(judged), on="method", how="left")
    order = F.struct(-F.coalesce("__merit", F.lit(float("-inf"))), F.col("method"))
    best = F.min(order).over(Window.partitionBy("user_id"))
    return known.withColumn("__best", best).where(F.col("__best") == order).drop("__best", "__merit")
