"""Which campaigns need not be measured again: nothing has changed since the run before measured them."""

import hashlib
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, timedelta

from segspark.campaigns.config import LiftConfig
from segspark.campaigns.history import Planned
from segspark.campaigns.windows import closes_after

OF_OTHER_TOOLS = {"observed", "adjust_users", "least_smd"}  # settings of LiftConfig that planned campaigns do not go by


@dataclass(frozen=True)
class Span:
    """The days of logs that one campaign is measured by, both ends included."""

    first: date
    last: date

    def days(self) -> list[date]:
        """All of its days."""
        return [self.first + timedelta(days=n) for n in range((self.last - self.first).days + 1)]

    def holds_any(self, days: Collection[date]) -> bool:
        """Whether any of the days lies in it."""
        return any(self.first <= day <= self.last for day in days)


@dataclass(frozen=True)
class Measured:
    """What the run before measured, and what came since."""

    as_of: date  # of that run
    basis: Mapping[str, str]  # by campaign that it measured: by what
    new_days: frozenset[date]  # of which logs brought rows since
    told_of: frozenset[str]  # campaigns of which outcomes came since


def basis_of(plans: Sequence[Planned], method: Sequence[str]) -> str:
    """What one campaign is measured by: its plans in their order and `method`, the texts of all else that decides."""
    told = (f"{each.run_id} {each.starts_on} {each.ends_on} {each.until} {each.holdout_share}" for each in plans)
    return hashlib.sha256("\n".join([*method, *told]).encode()).hexdigest()[:16]


def spans_of(made: Sequence[Planned], last_days: Mapping[str, date], config: LiftConfig) -> dict[str, Span]:
    """By campaign the days that its windows and the days before its contacts touch.

    A day more on both sides: a visit that goes on after midnight is counted on the day on which it began.
    """
    first: dict[str, date] = {}
    for each in made:
        first[each.campaign_id] = min(each.starts_on, first.get(each.campaign_id, each.starts_on))
    before, after = timedelta(days=config.before_days + 1), timedelta(days=config.attribution_days + 1)
    return {name: Span(day - before, last_days[name] + after) for name, day in first.items()}


def settled_campaigns(
    last_days: Mapping[str, date],
    spans: Mapping[str, Span],
    basis: Mapping[str, str],
    before: Measured,
    config: LiftConfig,
    as_of: date,
) -> frozenset[str]:
    """Those that were measured on the same basis when all their windows had closed, and of which nothing came since.

    New rows of a day that a campaign is measured by count as news, whoever they are about. A run for an earlier day
    than the one before knows less than that one did: nothing is settled for it.
    """
    if as_of < before.as_of:
        return frozenset()
    return frozenset(
        name
        for name, last in last_days.items()
        if before.basis.get(name) == basis[name]
        and closes_after(last, config.attribution_days, before.as_of) is None
        and name not in before.told_of
        and not spans[name].holds_any(before.new_days)
    )
