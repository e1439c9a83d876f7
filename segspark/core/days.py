"""Days as ranges."""

from collections.abc import Iterable
from datetime import date, timedelta

from pyspark.sql import Column
from pyspark.sql import functions as F

ONE_DAY = timedelta(days=1)
MANY = 32  # ranges: beyond it each day is looked up, as a comparison for each range makes a plan that takes seconds


def contiguous(days: Iterable[date]) -> list[tuple[date, date]]:
    """The days as ranges without gaps, in order: one predicate for a whole month, not thirty."""
    ranges: list[tuple[date, date]] = []
    for day in sorted(set(days)):
        if ranges and day - ranges[-1][1] == ONE_DAY:
            ranges[-1] = (ranges[-1][0], day)
        else:
            ranges.append((day, day))
    return ranges


def bridged(days: Iterable[date], ranges: int = MANY) -> set[date]:
    """The days, and those in between where there would be more than `ranges` ranges: the shortest gaps go first."""
    found = contiguous(days)
    starts = [first for first, _ in found[1:]]
    gaps = sorted(zip([last for _, last in found], starts, strict=False), key=lambda gap: (gap[1] - gap[0], gap[0]))
    closed = gaps[: max(0, len(found) - ranges)]
    return {day for first, last in (*found, *closed) for day in days_between(first, last)}


def days_between(first: date, last: date) -> list[date]:
    """Each day from the first to the last."""
    return [first + timedelta(days=number) for number in range((last - first).days + 1)]


def within(days: Iterable[date]) -> Column:
    """Whether `day` is one of the days, said in ranges: one comparison for a year, not 365."""
    ranges = contiguous(days)
    if len(ranges) > MANY:
        listed = ", ".join(f"DATE'{day}'" for day in sorted({*days}))
        return F.expr(f"day BETWEEN DATE'{ranges[0][0]}' AND DATE'{ranges[-1][1]}' AND day IN ({listed})")
    is_inside = F.lit(False)
    for first, last in ranges:
        is_inside = is_inside | F.col("day").between(F.lit(first), F.lit(last))
    return is_inside
