"""Days as ranges."""

from collections.abc import Iterable
from datetime import date, timedelta


def contiguous(days: Iterable[date]) -> list[tuple[date, date]]:
    """The days as ranges without gaps, in order: one predicate for a whole month, not thirty."""
    ranges: list[tuple[date, date]] = []
    for day in sorted(set(days)):
        if ranges and day - ranges[-1][1] == timedelta(days=1):
            ranges[-1] = (ranges[-1][0], day)
        else:
            ranges.append((day, day))
    return ranges
