"""How far a log or day table reaches, and whether its rows are few."""

from dataclasses import dataclass
from datetime import date

from pyspark.sql import DataFrame

FEW = 1_000_000  # rows that one task goes through sooner than several are planned, started and shuffled to


@dataclass(frozen=True)
class Extent:
    """How many rows there are, and from which day to which."""

    rows: int = 0
    first_day: date | None = None
    last_day: date | None = None

    def begins_before(self, day: date) -> bool:
        """Whether there is a row of an earlier day."""
        return self.first_day is not None and self.first_day < day

    def reaches(self, day: date) -> bool:
        """Whether there is a row of the day or a later one."""
        return self.last_day is not None and self.last_day >= day

    def rows_a_day(self) -> float:
        """The mean over all days from the first to the last."""
        if self.first_day is None or self.last_day is None:
            return 0.0
        return self.rows / ((self.last_day - self.first_day).days + 1)


def few_in_one(frame: DataFrame, rows: int) -> DataFrame:
    """The frame in one partition where there are few rows in all: what is grouped or joined then needs no shuffle."""
    return frame.coalesce(1) if rows <= FEW else frame
