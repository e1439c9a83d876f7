"""Fits and saves an MLlib model, whose vectors all contestants read. Not measured."""

from pyspark.ml.recommendation import ALS
from pyspark.sql import functions as F

from benchmarks.contestant import Ready, Task
from benchmarks.spark import session


def run(task: Task, ready: Ready) -> None:
    """Pairs' ids are a letter and a number: the number is the id."""
    spark = session(task)
    ready()
    ids = [F.substring(name, 2, 12).cast("int").alias(name) for name in ("user_id", "item_id")]
    pairs = spark.read.parquet(task.inputs["pairs"]).select(*ids, F.col("weight").cast("float").alias("weight"))
    als = ALS(rank=32, maxIter=2, implicitPrefs=True, userCol="user_id", itemCol="item_id", ratingCol="weight", seed=7)
    model = als.fit(pairs)
    model.save(task.output)
    spark.stop()
