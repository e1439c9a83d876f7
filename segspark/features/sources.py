"""Which logs have rows before as_of: what no log gives is unknown, not zero."""

from dataclasses import dataclass
from datetime import date

from segspark.core.extent import Extent


@dataclass(frozen=True)
class Sources:
    """Whether each log has any row before as_of."""

    events: bool
    orders: bool
    ratings: bool
    visits_go_on: bool = True  # there may be events at as_of, so that visits of the day before may not have ended


def sources_before(as_of: date, events: Extent, orders: Extent, ratings: Extent) -> Sources:
    """What is known before as_of from logs that reach so far."""
    return Sources(
        events=events.begins_before(as_of),
        orders=orders.begins_before(as_of),
        ratings=ratings.begins_before(as_of),
        visits_go_on=events.reaches(as_of),
    )
