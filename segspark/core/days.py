"""Days as ranges."""

from collections.abc import Iterable
from datetime import date, timedelta

from pyspark.sql import Column
from pyspark.sql import functions as F


def contiguous(days: Iterable[date]) -> list[tuple[date, date]]:
    """The days as ranges without gaps, in order: one predicate for a whole month, not thirty."""
    ranges: list[tuple[date, date]] = []
    for day in sorted(set(days)):
        if ranges and day - ranges[-1][1] == timedelta(days=1):
            ranges[-1] = (ranges[-1][0], day)
        else:
            ranges.append((day, day))
    return ranges


def within(days: Iterable[date]) -> Column:
    """Whether `day` is one of the days, said in ranges: one comparison for a year, not 365."""
    is_inside = F.lit(False)
    for first, last in contiguous(days):
        is_inside = is_inside | F.col("day").between(F.lit(first), F.lit(last))
    return is_inside
