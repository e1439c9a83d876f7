"""Our lists in blocks."""

from pyspark.sql import functions as F

from benchmarks.contestant import Ready, Task
from benchmarks.spark import session
from segspark.recommend.config import RecommendConfig
from segspark.recommend.sizes import user_block_rows
from segspark.recommend.topn import ListPlan, best_items
from segspark.recommend.vectors import Factors


def run(task: Task, ready: Ready) -> None:
    """Writes the best items of every user."""
    spark = session(task)
    ready()
    of_users = spark.read.parquet(f"{task.inputs['model']}/userFactors")
    of_items = spark.read.parquet(f"{task.inputs['model']}/itemFactors")
    factors = Factors(
        of_users.select(F.col("id").alias("user_no"), F.col("features").alias("factors")),
        of_items.select(F.col("id").alias("item_no"), F.col("features").alias("factors")),
    )
    config = RecommendConfig(top_n=task.settings["top_n"])
    users = of_users.agg(F.max("id") + 1).collect()[0][0]
    nothing_own = factors.users.limit(0).select("user_no", F.col("user_no").alias("item_no"), F.lit(0).alias("action"))
    plan = ListPlan(users, config.top_n, None, False, user_block_rows(users, config), config.item_block_rows)
    lists = best_items(factors, nothing_own, factors.items.limit(0), plan)
    lists.select("user_no", "rank", "item_no", "score").write.parquet(task.output)
    spark.stop()
