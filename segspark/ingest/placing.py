"""A source's rows on their way: read, mapped and judged; each with its file's number and its line."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from functools import reduce

import pyarrow as pa
from pyspark.sql import DataFrame
from pyspark.sql import functions as F

from segspark.core.contracts import EVENTS, ORDERS, RATINGS
from segspark.ingest import reading
from segspark.ingest.config import LOGS, IngestConfig, SourceConfig
from segspark.ingest.headers import Group
from segspark.ingest.mapping import map_columns
from segspark.ingest.rules import TIMES, judge
from segspark.ingest.tally import FIT, Shift, outcome

FILE_ROWS = 2_000_000  # rows of a log that are worth a file: 32 MB and more as Parquet

APPENDED = (EVENTS, ORDERS, RATINGS)  # the others are merged: a later file updates users and items


def judged_rows(
    name: str, source: SourceConfig, config: IngestConfig, groups: Sequence[Group], now: datetime
) -> DataFrame:
    """Every row of the files with the log table's columns, its place, `__problem` and `__filtered`."""

    def judged(group: Group) -> DataFrame:
        mapped = map_columns(group.parsed(source), source, LOGS[name], kept=reading.PLACE)
        return judge(mapped, name, config, now)

    return reduce(DataFrame.unionByName, (judged(group) for group in groups if group.has_columns(source)))


def place_rows(judged: DataFrame, source: SourceConfig, shifts: Sequence[Shift]) -> DataFrame:
    """The judged rows with `ingest_seq`, `__line` and `__ok`, without header lines."""
    names = ("__url", "__block", "ingest_seq", "__shift")
    columns = dict(zip(names, map(list, zip(*shifts, strict=True)), strict=True))
    places = F.broadcast(judged.sparkSession.createDataFrame(pa.table(columns)))
    placed = judged.join(places, on=["__url", "__block"], how="inner")
    lines = placed.withColumn("__line", F.col("__id") + F.col("__shift"))
    rows = lines.where(F.col("__line") > header_lines(source)).drop("__url", "__block", "__id", "__shift")
    return rows.withColumn("__ok", outcome() == FIT)


def header_lines(source: SourceConfig) -> int:
    """How many of a file's rows, as they are scanned, are its header."""
    return 1 if source.has_header and not source.is_multiline else 0


def rejected_rows(rows: DataFrame, name: str, paths: Mapping[int, str], now: datetime) -> DataFrame:
    """One row of `quarantine` for each placed row with a `__problem`. `paths` go by `ingest_seq`."""
    named = pa.table({"ingest_seq": list(paths), "file": list(paths.values())})
    files = F.broadcast(rows.sparkSession.createDataFrame(named))
    rejected = rows.where(F.col("__problem").isNotNull()).join(files, on="ingest_seq", how="inner")
    return rejected.select(
        F.lit(name).alias("source"),
        "file",
        F.col("__line").alias("line"),
        F.col("__problem").alias("reason"),
        F.make_valid_utf8("__raw").alias("raw"),
        F.lit(now).alias("seen_at"),
        "ingest_seq",
    )


def laid_out(rows: DataFrame, name: str, count: int) -> DataFrame:
    """The rows, which are `count`, in as many partitions as they are worth files, those of a dated log in time's order.

    So that a file has few days, and what reads a day skips the others.
    """
    files = files_worth(count)
    if name not in TIMES:
        return rows.coalesce(files)
    parts = rows.coalesce(1) if files == 1 else rows.repartitionByRange(files, TIMES[name])
    return parts.sortWithinPartitions("day")


def files_worth(rows: int) -> int:
    """The files that so many rows of a log are worth: of 32 MB and more."""
    return max(1, rows // FILE_ROWS)


def made_key(name: str, source: SourceConfig) -> str | None:
    """The key column that is made here because the source does not map it."""
    made = {"events": "event_id", "orders": "line"}.get(name)
    return made if made and made not in source.columns else None


def unique_key(name: str, source: SourceConfig) -> list[str]:
    """The columns that may not come twice; none where the key is made here."""
    if LOGS[name] not in APPENDED:
        return [*LOGS[name].key, "ingest_seq"]
    return [] if made_key(name, source) else list(LOGS[name].key)
