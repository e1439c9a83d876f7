"""Which days of the day tables are out of date."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from functools import reduce

from pyspark.sql import DataFrame
from pyspark.sql import functions as F

from segspark.core.days import ONE_DAY, bridged


@dataclass(frozen=True)
class Changes:
    """By day the rows of each log that the day tables do not hold yet.

    Where changed days lie scattered, those between them are built anew with them: it gives what they hold already, and
    a few ranges of days are found and replaced faster than thousands.
    """

    events: Mapping[date, int]
    orders: Mapping[date, int]
    ratings: Mapping[date, int]

    @property
    def days(self) -> set[date]:
        """Days on which any log changed."""
        return {*self.events, *self.orders, *self.ratings}

    @property
    def of_sessions(self) -> set[date]:
        """A visit of the day before may end later now, and one of the day after may have begun on this day."""
        return bridged(with_neighbours(self.events))

    @property
    def of_user_days(self) -> set[date]:
        """All days that changed, and those whose visits did."""
        return bridged(self.of_sessions | self.days)

    @property
    def of_user_item_days(self) -> set[date]:
        """Days whose events or orders changed."""
        return bridged({*self.events, *self.orders})

    def rows(self) -> dict[date, int]:
        """By day the rows that came of all logs."""
        parts = (self.events, self.orders, self.ratings)
        return {day: sum(part.get(day, 0) for part in parts) for day in self.days}


def with_neighbours(days: Iterable[date]) -> set[date]:
    """The days, and to each the day before and after."""
    return {day + step for day in days for step in (-ONE_DAY, timedelta(0), ONE_DAY)}


def changed_days(logs: Sequence[DataFrame], above: int, up_to: int) -> Changes:
    """Days of events, orders and ratings with rows of an ingest_seq in (above, up_to]. There are few days."""
    if above >= up_to:
        return Changes({}, {}, {})
    is_new = (F.col("ingest_seq") > above) & (F.col("ingest_seq") <= up_to)
    new = [log.where(is_new).select(F.lit(number).alias("log"), "day") for number, log in enumerate(logs)]
    rows = reduce(DataFrame.union, new).groupBy("log", "day").count().collect()
    return Changes(*({row.day: row["count"] for row in rows if row["log"] == number} for number in range(len(logs))))
