"""A source's rows on their way: read, mapped and judged; each with its file's number and its line."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from functools import reduce

from pyspark.sql import DataFrame, SparkSession
from pyspark.sql import functions as F

from segspark.core.contracts import EVENTS, ORDERS, RATINGS
from segspark.ingest import reading
from segspark.ingest.config import LOGS, IngestConfig, SourceConfig
from segspark.ingest.files import SourceFile
from segspark.ingest.headers import Group
from segspark.ingest.ledger import line_shifts
from segspark.ingest.mapping import map_columns
from segspark.ingest.rules import judge

APPENDED = (EVENTS, ORDERS, RATINGS)  # the others are merged: a later file updates users and items


def judged_rows(
    spark: SparkSession, name: str, source: SourceConfig, config: IngestConfig, groups: Sequence[Group], now: datetime
) -> DataFrame:
    """Every row of the files with the log table's columns, its place, `__problem` and `__filtered`."""

    def judged(columns: tuple[str, ...], files: Sequence[SourceFile]) -> DataFrame:
        parsed = reading.parse(reading.scan(spark, source, columns, files), source, columns)
        return judge(map_columns(parsed, source, LOGS[name], kept=reading.PLACE), name, config, now)

    with_lines = [group for group in groups if group.columns or source.format == "json"]
    return reduce(DataFrame.unionByName, (judged(group.columns, group.files) for group in with_lines))


def place_rows(judged: DataFrame, source: SourceConfig, numbers: Mapping[str, int]) -> DataFrame:
    """The judged rows with `ingest_seq`, `__line` and `__ok`, without header lines. `numbers` go by the file's URL."""
    blocks = judged.groupBy("__url", "__block").agg(F.count(F.lit(1)), F.min("__id")).collect()
    shifts = [(url, block, shift, numbers[url]) for url, block, shift in line_shifts([tuple(b) for b in blocks])]
    schema = "__url string, __block bigint, __shift bigint, ingest_seq bigint"
    places = F.broadcast(judged.sparkSession.createDataFrame(shifts, schema))
    placed = judged.join(places, on=["__url", "__block"], how="inner")
    lines = placed.withColumn("__line", F.col("__id") + F.col("__shift"))
    rows = lines.where(F.col("__line") > header_lines(source)).drop("__url", "__block", "__id", "__shift")
    return rows.withColumn("__ok", F.col("__problem").isNull() & ~F.col("__filtered"))


def header_lines(source: SourceConfig) -> int:
    """How many of a file's rows, as they are scanned, are its header."""
    return 1 if source.has_header and not source.is_multiline else 0


def rejected_rows(
    rows: DataFrame, name: str, files: Sequence[SourceFile], numbers: Mapping[str, int], now: datetime
) -> DataFrame:
    """One row of `quarantine` for each placed row with a `__problem`."""
    names = [(numbers[file.url], file.path) for file in files]
    paths = F.broadcast(rows.sparkSession.createDataFrame(names, "ingest_seq bigint, file string"))
    rejected = rows.where(F.col("__problem").isNotNull()).join(paths, on="ingest_seq", how="inner")
    return rejected.select(
        F.lit(name).alias("source"),
        "file",
        F.col("__line").alias("line"),
        F.col("__problem").alias("reason"),
        F.make_valid_utf8("__raw").alias("raw"),
        F.lit(now).alias("seen_at"),
        "ingest_seq",
    )


def made_key(name: str, source: SourceConfig) -> str | None:
    """The key column that is made here because the source does not map it."""
    made = {"events": "event_id", "orders": "line"}.get(name)
    return made if made and made not in source.columns else None


def unique_key(name: str, source: SourceConfig) -> list[str]:
    """The columns that may not come twice; none where the key is made here."""
    if LOGS[name] not in APPENDED:
        return [*LOGS[name].key, "ingest_seq"]
    return [] if made_key(name, source) else list(LOGS[name].key)
