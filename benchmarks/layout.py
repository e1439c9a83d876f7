"""`python -m benchmarks.layout`: what a point query and an overview cost by the lake's layout and by a naive one.

Two runs of `user_segments` with two schemes each. The lake: partitioned by run, sorted by `user_bucket` by `segspark
optimize`, no statistics on ids, with the run's `segments` beside it. Naive: the same rows in one Delta table as Spark
writes it, with Delta's own statistics, one overview by grouping the users. Both answer from the same session.
"""

import statistics
import time
from dataclasses import dataclass
from pathlib import Path

import click
from pyspark.sql import DataFrame, SparkSession
from pyspark.sql import functions as F

from benchmarks.spark import bytes_read
from segspark.core.contracts import PUBLICATIONS, SEGMENTS, USER_SEGMENTS
from segspark.core.lake import Lake
from segspark.core.session import SessionConfig, open_session

RUNS = ("r-1", "r-2")
SEGMENTS_PER_SCHEME = 8
ASKED = 7  # repetitions of a query; the first is left out, the median of the others is told
# Hadoop's counts leave out what Parquet reads in several ranges at once.
COUNTED = {"spark.hadoop.parquet.hadoop.vectored.io.enabled": "false"}


@dataclass(frozen=True)
class Asked:
    """One query by one layout."""

    users: int
    query: str
    layout: str
    seconds: float
    read_bytes: int
    answer: list[tuple[object, ...]]


def members(spark: SparkSession, users: int, run_id: str) -> DataFrame:
    """One row per user and scheme, in no order of the ids."""
    draw = F.xxhash64(F.lit(run_id), "id", "scheme")
    schemes = F.explode(F.array(F.lit("value"), F.lit("taste"))).alias("scheme")
    rows = spark.range(users).select(F.xxhash64("id").alias("id"), schemes)
    return rows.select(
        "scheme",
        F.format_string("u%016x", "id").alias("user_id"),
        F.pmod(draw, F.lit(SEGMENTS_PER_SCHEME)).cast("int").alias("segment_id"),
        F.concat(F.lit("segment-"), F.pmod(draw, F.lit(SEGMENTS_PER_SCHEME))).alias("segment_name"),
        (F.pmod(draw, F.lit(1009)) / 100).alias("distance"),
        (F.pmod(draw, F.lit(997)) / 997).alias("confidence"),
        F.lit("same").alias("change"),
        F.array(F.pmod(draw, F.lit(101)) / 10, F.pmod(draw, F.lit(103)) / 10).cast("array<float>").alias("pca"),
    )


def build(lake: Lake, naive: str, users: int) -> None:
    """Both layouts of the same rows; the second run is published."""
    for run_id in RUNS:
        rows = members(lake.spark, users, run_id)
        lake.replace_run(USER_SEGMENTS, rows, run_id)
        counts = lake.read_run(USER_SEGMENTS, run_id).groupBy("scheme", "segment_id", "segment_name").count()
        lake.replace_run(SEGMENTS, as_segments(counts), run_id)
        numbered = rows.withColumn("run_id", F.lit(run_id))
        numbered.write.format("delta").mode("append").save(naive)
        lake.publish(run_id, "benchmark", "run", {}, {})
    lake.optimize(USER_SEGMENTS, RUNS[-1])


def as_segments(counts: DataFrame) -> DataFrame:
    """Rows of `segments` with names and sizes only."""
    known = {"name": F.col("segment_name"), "size": F.col("count")}
    empty = {c.name: F.lit(None).cast(c.type) for c in SEGMENTS.columns if c.name not in ("scheme", "segment_id")}
    return counts.select("scheme", "segment_id", *(value.alias(n) for n, value in {**empty, **known}.items()))


def queries(lake: Lake, naive: str, user_id: str) -> dict[tuple[str, str], str]:
    """By query and layout its SQL."""
    publications = lake.identifier(PUBLICATIONS.name)
    published = f"run_id = (SELECT max_by(run_id, seq) FROM {publications})"
    bucket = f"user_bucket = pmod(xxhash64('{user_id}'), 4096)"
    of_user = f"SELECT scheme, segment_name, distance FROM {{}} WHERE {published} AND user_id = '{user_id}'"
    named = f"SELECT scheme, name, size FROM {lake.identifier(SEGMENTS.name)} WHERE {published}"
    grouped = f"SELECT scheme, segment_name, count(*) FROM delta.`{naive}` WHERE {published} GROUP BY ALL"
    return {
        ("one user", "lake"): f"{of_user.format(lake.identifier(USER_SEGMENTS.name))} AND {bucket}",
        ("one user", "naive"): of_user.format(f"delta.`{naive}`"),
        ("overview", "lake"): named,
        ("overview", "naive"): grouped,
    }


def ask(spark: SparkSession, users: int, query: str, layout: str, sql: str) -> Asked:
    """The median of repetitions; bytes of the last."""
    seconds = []
    for _ in range(ASKED):
        before, start = bytes_read(spark), time.monotonic()
        rows = spark.sql(sql).collect()
        seconds.append(time.monotonic() - start)
        read = bytes_read(spark) - before
    return Asked(users, query, layout, statistics.median(seconds[1:]), read, sorted(tuple(row) for row in rows))


def table(found: list[Asked]) -> str:
    """One line per size and query."""
    lines = ["| users | query | lake: s | MB read | naive: s | MB read |", "|---|---|---|---|---|---|"]
    for lake, naive in zip(found[::2], found[1::2], strict=True):
        cells = [f"{one.seconds:.2f} | {one.read_bytes / 1e6:,.1f}" for one in (lake, naive)]
        lines.append(f"| {lake.users:,} | {lake.query} | {' | '.join(cells)} |")
    return "\n".join(lines)


@click.command()
@click.option("--users", "sizes", multiple=True, type=int, default=(1_000_000, 10_000_000), show_default=True)
@click.option("--folder", type=click.Path(path_type=Path), required=True, help="For the tables; they stay.")
def main(sizes: tuple[int, ...], folder: Path) -> None:
    """States seconds and bytes of both queries by both layouts; ends with 1 where an answer differs."""
    spark = open_session(SessionConfig(conf=COUNTED), str(folder.resolve() / "checkpoints"), "segspark-layout")
    found: list[Asked] = []
    for users in sizes:
        lake, naive = Lake(spark, str(folder.resolve() / f"lake-{users}")), str(folder.resolve() / f"naive-{users}")
        if not lake.exists(PUBLICATIONS):
            build(lake, naive, users)
        some_user = lake.read_run(USER_SEGMENTS, RUNS[-1]).select("user_id").limit(1).collect()[0].user_id
        found += [ask(spark, users, *about, sql) for about, sql in queries(lake, naive, some_user).items()]
    click.echo(table(found))
    if any(lake.answer != naive.answer for lake, naive in zip(found[::2], found[1::2], strict=True)):
        raise click.ClickException("the layouts answer differently")


if __name__ == "__main__":
    main()
