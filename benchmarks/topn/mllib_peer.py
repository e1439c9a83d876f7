"""MLlib's recommendForAllUsers."""

from pyspark.ml.recommendation import ALSModel
from pyspark.sql import functions as F

from benchmarks.contestant import Ready, Task
from benchmarks.spark import session


def run(task: Task, ready: Ready) -> None:
    """Writes the best items of every user, one row each."""
    spark = session(task)
    ready()
    lists = ALSModel.load(task.inputs["model"]).recommendForAllUsers(task.settings["top_n"])
    rows = lists.select(F.col("user_id").alias("user_no"), F.posexplode("recommendations").alias("place", "found"))
    columns = [F.col("found.item_id").alias("item_no"), F.col("found.rating").cast("double").alias("score")]
    rows.select("user_no", (F.col("place") + 1).alias("rank"), *columns).write.parquet(task.output)
    spark.stop()
