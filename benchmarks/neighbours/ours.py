"""Our search in cells, with the recall that the stage reports."""

from typing import Any

from pyspark.sql import functions as F

from benchmarks.contestant import Ready, Task
from benchmarks.spark import session
from segspark.recommend.config import RecommendConfig
from segspark.recommend.neighbours.cells import find_cells, nearest_in_cells, recall

SEED = 7


def run(task: Task, ready: Ready) -> dict[str, Any]:
    """Writes the neighbours of every user; tells the cells and the recall on 200 users."""
    spark = session(task)
    ready()
    config = RecommendConfig(user_neighbours=task.settings["neighbours"])
    vectors = spark.read.parquet(task.inputs["factors"])
    users = vectors.count()
    cells = find_cells(vectors, users, config.user_cells, config.user_cells_probed, SEED)
    near = nearest_in_cells(vectors, cells, config.user_neighbours, SEED)
    named = near.select(F.col("row_no").alias("user_no"), "rank", "neighbour_no", "similarity")
    named.write.parquet(task.output)
    found = spark.read.parquet(task.output).withColumnRenamed("user_no", "row_no")
    share = recall(vectors, found, users, config.user_neighbours, config.recall_users, SEED)
    spark.stop()
    return {"cells": len(cells.centres), "probed": cells.probed, "recall": share}
