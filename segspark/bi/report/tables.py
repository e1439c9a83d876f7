"""From a run's tables to the few rows that the report shows. Every result is bounded by configuration or by the number
of segments, models, checks, stages and kinds of source; nothing has the size of the users."""

from pyspark.sql import DataFrame, Window
from pyspark.sql import functions as F

from segspark.core.merit import best_lists
from segspark.core.runs import PIN, WHOLE_RUN


def map_sample(user_segments: DataFrame, scheme: str, sample_points: int, seed: int) -> DataFrame:
    """At most `sample_points` users of the scheme, chosen by a hash of the id: segment_id, x, y and no id.

    The same users whatever the partitioning, in the order of the hash, so that no segment is drawn over the others.
    """
    draw = F.xxhash64(F.lit(seed), F.col("user_id"))
    placed = user_segments.where((F.col("scheme") == scheme) & (F.size("pca") >= 2))
    place = [F.col("segment_id"), F.col("pca")[0].alias("x"), F.col("pca")[1].alias("y")]
    chosen = placed.select(*place, draw.alias("draw"), "user_id").orderBy("draw", "user_id").limit(sample_points)
    return chosen.drop("draw", "user_id")


def example_users(user_segments: DataFrame, recommendations: DataFrame, scheme: str, seed: int) -> DataFrame:
    """One row per segment of the scheme: the `user_id` who is drawn by a hash among those with recommendations."""
    draw = F.struct(F.xxhash64(F.lit(seed), F.col("user_id")), F.col("user_id"))
    served = recommendations.where("rank = 1").select("user_id").distinct()
    members = user_segments.where(F.col("scheme") == scheme).select("scheme", "segment_id", "user_id")
    drawn = members.join(served, on="user_id", how="left_semi").groupBy("scheme", "segment_id")
    return drawn.agg(F.min_by("user_id", draw).alias("user_id"))


def offers_to(
    users: DataFrame, recommendations: DataFrame, metrics: DataFrame, items: DataFrame, size: int
) -> DataFrame:
    """The first `size` items for each of a few users by the best judged method that they have, without their ids.

    One row per user and item: scheme, segment_id, rank, item_id, reason, and the item's description and category.
    """
    lists = recommendations.where(F.col("rank") <= size).join(F.broadcast(users), on="user_id")
    told = best_lists(lists, metrics).select("scheme", "segment_id", "rank", "item_id", "reason")
    return told.join(items.select("item_id", "description", "category"), on="item_id", how="left").orderBy(
        "scheme", "segment_id", "rank"
    )


def rows_by_source(source_files: DataFrame, ingest_seq: int) -> DataFrame:
    """One row per source: its files and rows up to the file that the run saw last."""
    seen = source_files.where(F.col("ingest_seq") <= ingest_seq)
    totals = [F.sum(name).alias(name) for name in ("rows_in", "accepted", "quarantined", "filtered")]
    return seen.groupBy("source").agg(F.count(F.lit(1)).alias("files"), *totals).orderBy("source")


def quarantine_reasons(quarantine: DataFrame, ingest_seq: int, reasons: int) -> DataFrame:
    """The most frequent reasons why rows of the run's files were set aside: source, reason, count."""
    seen = quarantine.where(F.col("ingest_seq") <= ingest_seq)
    counts = seen.groupBy("source", "reason").count()
    return counts.orderBy(F.desc("count"), "source", "reason").limit(reasons)


def newest_stages(runs: DataFrame, run_id: str) -> DataFrame:
    """One row per stage of the run: what became of it last, in the order in which the stages began."""
    newest = Window.partitionBy("stage").orderBy(F.desc("heartbeat_at"))
    of_run = runs.where((F.col("run_id") == run_id) & ~F.col("stage").isin(WHOLE_RUN, PIN)).withColumn(
        "age", F.row_number().over(newest)
    )
    return of_run.where("age = 1").orderBy("started_at", "stage").drop("age")
