"""Which logs have rows before as_of: what no log gives is unknown, not zero."""

from dataclasses import dataclass


@dataclass(frozen=True)
class Sources:
    """Whether each log has any row before as_of."""

    events: bool
    orders: bool
    ratings: bool
    visits_go_on: bool = True  # there are events at as_of, so that visits of the day before may not have ended
