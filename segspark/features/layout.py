"""How rows are spread over tasks: by ranges of days, as each task writes one file."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from itertools import accumulate

from pyspark.sql import Column, DataFrame
from pyspark.sql import functions as F

KEYS = ("day", "task")
FEW = 1_000_000  # rows that one task goes through sooner than several are planned, started and shuffled to


@dataclass(frozen=True)
class Layout:
    """Ranges of days, each cut into so many slices of users. Changes where rows lie, never what they say."""

    starts: tuple[date, ...] = ()  # the first days of the ranges after the first
    slices: tuple[int, ...] = (1,)  # of each range
    is_few: bool = True  # whether there are so few rows that one task does all

    @property
    def tasks(self) -> int:
        """How many tasks there are."""
        return sum(self.slices)

    def read(self, log: DataFrame) -> DataFrame:
        """Rows of a log as they are read: few are one partition at once, and then nothing is ever shuffled."""
        return log.coalesce(1) if self.is_few else log

    def gather(self, rows: DataFrame, by: str = "user_id") -> DataFrame:
        """The rows with `task`: those of one day and user (or other `by`) lie in one partition, with days that follow.

        What is grouped by `KEYS`, `by` and more needs no further shuffle.
        """
        numbered = rows.withColumn("task", self._task(by))
        return numbered.coalesce(1) if self.is_few else numbered.repartitionById(self.tasks, "task")

    def _task(self, by: str) -> Column:
        firsts = accumulate(self.slices[:-1], initial=0)
        tasks = [
            F.lit(first) + (F.pmod(F.xxhash64(by), F.lit(slices)).cast("int") if slices > 1 else F.lit(0))
            for first, slices in zip(firsts, self.slices, strict=True)
        ]
        return _by_day(tasks, self.starts)


ONE_TASK = Layout()


def _by_day(tasks: Sequence[Column], starts: Sequence[date]) -> Column:
    """The task of the row's day, found in as many comparisons as halving takes."""
    if not starts:
        return tasks[0]
    half = len(tasks) // 2
    early, late = _by_day(tasks[:half], starts[: half - 1]), _by_day(tasks[half:], starts[half:])
    return F.when(F.col("day") < F.lit(starts[half - 1]), early).otherwise(late)


def in_order(gathered: DataFrame) -> DataFrame:
    """Gathered rows as they are written: by day, so that readers pass over the parts of a file without their days."""
    return gathered.drop("task").sortWithinPartitions("day")


def few_in_one(frame: DataFrame, rows: int) -> DataFrame:
    """The frame in one partition where there are few rows in all: what is grouped or joined then needs no shuffle."""
    return frame.coalesce(1) if rows <= FEW else frame


def by_user(frame: DataFrame, rows: int) -> DataFrame:
    """The frame with a user's rows in one partition, all in one where there are few."""
    return frame.coalesce(1) if rows <= FEW else frame.repartition("user_id")


def lay_out(days: Iterable[date], rows: Mapping[date, int], usual: float, full: int) -> Layout:
    """A layout of about `full` rows a task for those days.

    `rows` are what came on a day, `usual` what a day has in the mean: of a day with a few late rows all are counted.
    """
    expected = {day: max(rows.get(day, 0), usual) for day in sorted(set(days))}
    ranges = max(1, math.ceil(sum(expected.values()) / full))
    each = sum(expected.values()) / ranges
    sizes: dict[int, float] = {}
    firsts: dict[int, date] = {}
    so_far = 0.0
    for day, count in expected.items():
        number = int(so_far / each) if each else 0
        firsts.setdefault(number, day)
        sizes[number] = sizes.get(number, 0.0) + count
        so_far += count
    slices = tuple(max(1, round(size / full)) for size in sizes.values())
    return Layout(tuple(firsts.values())[1:], slices or (1,), so_far <= FEW)
