"""How segments, actions and numbers of campaigns are written."""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date

from segspark.bi.report.content import Scheme, Segment
from segspark.bi.wording import counted, day
from segspark.core.words import NOTHING, neutral, number, sentence

MINUS = "\N{MINUS SIGN}"
ALL = "all"  # in place of a segment or an action: all of them


@dataclass(frozen=True)
class Place:
    """A segment as a campaign calls it; `segment` where the run has one of that name."""

    name: str
    segment: Segment | None
    is_all: bool = False

    @property
    def order(self) -> tuple[bool, float, str]:
        """All segments first, then as the report numbers them, then those that the run does not have."""
        return not self.is_all, self.segment.segment_id if self.segment else math.inf, self.name


def place_of(name: str, scheme: str | None, schemes: Sequence[Scheme]) -> Place:
    """The segment of that name. Campaigns keep the name that it had when they were planned."""
    if name == ALL:
        return Place("All segments", None, is_all=True)
    told = neutral(name)
    segments = [one for each in schemes if scheme in (None, each.name) for one in each.segments if one.name == told]
    return Place(told[:1].upper() + told[1:], segments[0] if len(segments) == 1 else None)


def action_name(action: str) -> str:
    """An action of the strategies file, as it begins a cell."""
    return {ALL: "All actions", "none": "No contact"}.get(action, sentence(action.replace("-", " ")))


def at_least(count: int, min_group: int) -> str:
    """A number of people; of few only that they are few."""
    return f"under {min_group}" if 0 < count < min_group else number(count)


def money(value: float | None) -> str:
    """An amount, which may be a loss."""
    return number(value).replace("-", MINUS)


def signed(value: float | None) -> str:
    """A difference with its sign."""
    if value is None or not math.isfinite(value):
        return NOTHING
    return _sign(value) + number(abs(value))


def points(value: float | None) -> str:
    """A difference of shares in points of a percentage, with its sign."""
    if value is None or not math.isfinite(value):
        return NOTHING
    rounded = round(100 * value, 1)
    return f"{_sign(rounded)}{abs(rounded):.1f}"


def _sign(value: float) -> str:
    return "+" if value > 0 else MINUS if value < 0 else ""


def span(first: date | None, last: date | None) -> str:
    """`15 to 21 March 2024`: from the first day to the last."""
    if first is None or last is None:
        return NOTHING
    if first == last:
        return day(last)
    if (first.year, first.month) == (last.year, last.month):
        return f"{first.day} to {day(last)}"
    return f"{day(first) if first.year != last.year else day(first).rsplit(' ', 1)[0]} to {day(last)}"


def groups_hidden(count: int, min_group: int) -> str:
    """What is said of groups that are too small to be shown; nothing where there are none."""
    if not count:
        return ""
    are = "is" if count == 1 else "are"
    return f"{counted(count, 'more group')} of fewer than {counted(min_group, 'user')} {are} not shown."
