"""From a run's tables to the few rows that the report shows. Every result is bounded by configuration or by the number
of segments, models, checks, stages and kinds of source; nothing has the size of the users."""

from pyspark.sql import DataFrame, Window
from pyspark.sql import functions as F

MONEY_UNITS = 10_000  # sums of money go through whole ten-thousandths, so that their order does not matter


def map_sample(user_segments: DataFrame, scheme: str, sample_points: int, seed: int) -> DataFrame:
    """At most `sample_points` users of the scheme, chosen by a hash of the id: segment_id, x, y and no id.

    The same users whatever the partitioning, in the order of the hash, so that no segment is drawn over the others.
    """
    draw = F.xxhash64(F.lit(seed), F.col("user_id"))
    placed = user_segments.where((F.col("scheme") == scheme) & (F.size("pca") >= 2))
    place = [F.col("segment_id"), F.col("pca")[0].alias("x"), F.col("pca")[1].alias("y")]
    chosen = placed.select(*place, draw.alias("draw"), "user_id").orderBy("draw", "user_id").limit(sample_points)
    return chosen.drop("draw", "user_id")


def spending_by_segment(user_segments: DataFrame, user_features: DataFrame) -> DataFrame:
    """One row per scheme and segment: `spending`, the sum of its users' `monetary`, in the shop's currency."""
    units = F.expr(f"try_cast(round(monetary * {MONEY_UNITS}) AS bigint)").alias("units")
    joined = user_segments.select("scheme", "segment_id", "user_id").join(
        user_features.select("user_id", units), on="user_id", how="inner"
    )
    spending = (F.sum("units") / F.lit(MONEY_UNITS)).alias("spending")
    return joined.groupBy("scheme", "segment_id").agg(spending).orderBy("scheme", "segment_id")


def users_by_cause(segment_changes: DataFrame) -> DataFrame:
    """One row per scheme and cause: `users` who moved."""
    return segment_changes.groupBy("scheme", "cause").agg(F.count(F.lit(1)).alias("users")).orderBy("scheme", "cause")


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
    of_run = runs.where(F.col("run_id") == run_id).withColumn("age", F.row_number().over(newest))
    return of_run.where("age = 1").orderBy("started_at", "stage").drop("age")
