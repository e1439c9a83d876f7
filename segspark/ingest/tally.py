"""What becomes of each file's rows, and where lines of its parts begin: counted by Spark, added up on the driver."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import date

from pyspark.sql import Column, DataFrame, Row
from pyspark.sql import functions as F

Shift = tuple[str, int, int, int]  # url, block, ingest_seq, and what to add to a row's `__id` to get its line
FIT, REJECTED, FILTERED = range(3)  # what a row is, once it is judged


@dataclass(frozen=True)
class Counts:
    """Rows by `ingest_seq`."""

    accepted: dict[int, int] = field(default_factory=dict)
    quarantined: dict[int, int] = field(default_factory=dict)
    filtered: dict[int, int] = field(default_factory=dict)
    repeated: dict[int, int] = field(default_factory=dict)


@dataclass(frozen=True)
class Tally:
    """Of all files of a source."""

    counts: Counts
    shifts: list[Shift]  # one for each part of a file
    days: list[date]  # of the rows that are fit, where they were asked for


def outcome() -> Column:
    """What the judged row is."""
    is_rejected = F.col("__problem").isNotNull()
    return F.when(F.col("__filtered"), FILTERED).when(is_rejected, REJECTED).otherwise(FIT)


def count_parts(judged: DataFrame, by_day: bool) -> DataFrame:
    """One row per part of a file that one task read, and per day where `by_day`: its rows by what they are.

    `least` is the first `__id` and `first` what that row is.
    """
    is_what = judged.withColumn("__outcome", outcome())
    return is_what.groupBy("__url", "__block", *(["day"] if by_day else [])).agg(
        F.count(F.lit(1)).alias("rows"),
        F.min("__id").alias("least"),
        F.min_by("__outcome", "__id").alias("first"),
        F.count_if(F.col("__outcome") == FIT).alias("fit"),
        F.count_if(F.col("__outcome") == REJECTED).alias("rejected"),
        F.count_if(F.col("__outcome") == FILTERED).alias("filtered"),
    )


def count_files(rows: DataFrame) -> DataFrame:
    """One row per file of placed rows, whose keys were looked at: `ingest_seq`, `accepted` and `quarantined` rows."""
    return rows.groupBy("ingest_seq").agg(
        F.count_if("__ok").alias("accepted"), F.count_if(F.col("__problem").isNotNull()).alias("quarantined")
    )


def add_up(parts: Iterable[Row], numbers: Mapping[str, int], header_lines: int) -> Tally:
    """The tally of all files. `numbers` gives a file's `ingest_seq` by its URL; header lines are counted nowhere."""
    blocks: dict[tuple[str, int], tuple[int, int, int]] = {}  # rows, least id, what that row is
    ends = {seq: [0, 0, 0] for seq in numbers.values()}
    days = set()
    for part in parts:
        place = (part["__url"], part["__block"])
        rows, *begins = blocks.get(place, (0, part.least, part.first))
        blocks[place] = (rows + part.rows, *min(tuple(begins), (part.least, part.first)))
        for what, count in enumerate((part.fit, part.rejected, part.filtered)):
            ends[numbers[part["__url"]]][what] += count
        if "day" in part and part.fit:
            days.add(part.day)
    shifts: list[Shift] = []
    file, before = None, 0
    for (url, block), (rows, least, first) in sorted(blocks.items()):
        if url != file:
            file, before = url, 0
            ends[numbers[url]][first] -= header_lines
        shifts.append((url, block, numbers[url], before + 1 - least))
        before += rows
    counts = Counts(*({seq: end[what] for seq, end in ends.items()} for what in (FIT, REJECTED, FILTERED)))
    return Tally(counts, shifts, sorted(days))
