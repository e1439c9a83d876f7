"""When the windows of campaigns have closed: before that there is no verdict."""

from collections.abc import Iterable, Mapping
from datetime import date, timedelta

from segspark.campaigns.history import Planned


def closes_after(last: date, attribution_days: int, as_of: date) -> date | None:
    """The first as_of at which windows that began on the day `last` have closed; None where they have."""
    closes = last + timedelta(days=attribution_days + 1)
    return closes if as_of < closes else None


def may_have_closed(made: Iterable[Planned], attribution_days: int, as_of: date) -> set[str]:
    """The campaigns whose first windows may have closed: no contact of theirs comes before their first day."""
    return {each.campaign_id for each in made if each.starts_on + timedelta(days=attribution_days) <= as_of}


def last_days(made: Iterable[Planned], contacts: Mapping[str, date]) -> dict[str, date]:
    """The last day of each campaign on which a window begins.

    `contacts` tells the last of its contacts that count: that of who was contacted too early, of a plan that another
    took over, may lie behind the days of both.
    """
    last: dict[str, date] = {}
    for each in made:
        last[each.campaign_id] = max(each.last_day, last.get(each.campaign_id, each.last_day))
    return {name: max(day, contacts.get(name, day)) for name, day in last.items()}


def open_campaigns(last: Mapping[str, date], attribution_days: int, as_of: date) -> dict[str, date]:
    """The campaigns of which not all windows have closed, and when the last does. `last` is as of `last_days`."""
    closes = {name: closes_after(day, attribution_days, as_of) for name, day in last.items()}
    return {name: day for name, day in closes.items() if day is not None}
