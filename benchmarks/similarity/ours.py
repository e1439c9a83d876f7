"""Our similarity in blocks, from text ids to text ids."""

from pyspark.sql import functions as F

from benchmarks.contestant import Ready, Task
from benchmarks.spark import kept, session
from segspark.recommend.config import RecommendConfig
from segspark.recommend.interactions import with_numbers
from segspark.recommend.numbering import number_both
from segspark.recommend.similarity import nearest_rows
from segspark.recommend.sizes import similarity_block_rows


def run(task: Task, ready: Ready) -> dict[str, int]:
    """Numbers users and items, writes the neighbours of every item."""
    spark = session(task)
    ready()
    config = RecommendConfig(neighbours=task.settings["neighbours"])
    pairs = spark.read.parquet(task.inputs["pairs"]).withColumn("action", F.lit(1))
    pair_count = pairs.count()
    user_ids, item_ids = number_both(pairs, pair_count)
    user_index, item_index = kept(user_ids, task, "users"), kept(item_ids, task, "items")
    users, items = user_index.count(), item_index.count()
    rows = similarity_block_rows(items, pair_count, config)
    triples = with_numbers(pairs, user_index, item_index)
    near = nearest_rows(triples, "item_no", "user_no", items, users, rows, config.neighbours)
    own = item_index.select("item_id", F.col("item_no").alias("row_no"))
    other = item_index.select(F.col("item_id").alias("neighbour_id"), F.col("item_no").alias("neighbour_no"))
    named = near.join(own, "row_no", "inner").join(other, "neighbour_no", "inner")
    named.select("item_id", "rank", "neighbour_id", "similarity").write.parquet(task.output)
    spark.stop()
    return {"items": items, "users": users, "block_rows": rows}
