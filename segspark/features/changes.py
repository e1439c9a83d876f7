"""Which days of the day tables are out of date."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from functools import reduce

from pyspark.sql import DataFrame
from pyspark.sql import functions as F

ONE_DAY = timedelta(days=1)


@dataclass(frozen=True)
class Changes:
    """Days with rows that the day tables do not hold yet."""

    events: frozenset[date]
    orders: frozenset[date]
    ratings: frozenset[date]

    @property
    def days(self) -> set[date]:
        """Days on which any log changed."""
        return set(self.events | self.orders | self.ratings)

    @property
    def of_sessions(self) -> set[date]:
        """A visit of the day before may end later now, and one of the day after may have begun on this day."""
        return with_neighbours(self.events)

    @property
    def of_user_days(self) -> set[date]:
        """All days that changed, and those whose visits did."""
        return self.of_sessions | self.days

    @property
    def of_user_item_days(self) -> set[date]:
        """Days whose events or orders changed."""
        return set(self.events | self.orders)


def with_neighbours(days: Iterable[date]) -> set[date]:
    """The days, and to each the day before and after."""
    return {day + step for day in days for step in (-ONE_DAY, timedelta(0), ONE_DAY)}


def changed_days(logs: Sequence[DataFrame], above: int, up_to: int) -> Changes:
    """Days of events, orders and ratings with rows of an ingest_seq in (above, up_to]. There are few days."""
    if above >= up_to:
        return Changes(frozenset(), frozenset(), frozenset())
    is_new = (F.col("ingest_seq") > above) & (F.col("ingest_seq") <= up_to)
    new = [log.where(is_new).select(F.lit(number).alias("log"), "day") for number, log in enumerate(logs)]
    rows = reduce(DataFrame.union, new).distinct().collect()
    return Changes(*(frozenset(row.day for row in rows if row["log"] == number) for number in range(len(logs))))
