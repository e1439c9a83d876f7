"""Campaigns in the outcomes that no published run planned: of other tools, or a mistake."""

from collections.abc import Collection, Iterable
from dataclasses import dataclass
from datetime import date
from fnmatch import fnmatchcase
from typing import Any

from segspark.campaigns.lift.checks import check_row, windows_row
from segspark.campaigns.past.told import Told


@dataclass(frozen=True)
class Sorted:
    """What becomes of them."""

    observed: list[Told]  # to adjust for
    old: list[Told]  # wanted, too, but from before the logs that are read
    unknown: list[Told]  # that nobody knows


def sort_foreign(told: Iterable[Told], planned: Collection[str], patterns: Iterable[str], first_day: date) -> Sorted:
    """The campaigns that outcomes tell of and that are not in `planned`.

    Wanted are those that a pattern names; logs are read from `first_day`.
    """
    foreign = [each for each in told if each.rows and each.campaign_id not in planned]
    found = sorted(foreign, key=lambda each: each.campaign_id)
    patterns = tuple(patterns)
    wanted = [each for each in found if any(fnmatchcase(each.campaign_id, pattern) for pattern in patterns)]
    old = [each for each in wanted if each.last is not None and each.last < first_day]
    return Sorted([each for each in wanted if each not in old], old, [each for each in found if each not in wanted])


def foreign_checks(foreign: Sorted, attribution_days: int, as_of: date, first_day: date) -> list[dict[str, Any]]:
    """Rows of campaign_checks of what they are, without those that the adjustment makes."""
    closed = [
        windows_row(each.campaign_id, each.closed, each.contacts, each.open_until(attribution_days, as_of))
        for each in foreign.observed
    ]
    return [*closed, *(_old(each, as_of, first_day) for each in foreign.old), *map(_unknown, foreign.unknown)]


def _old(campaign: Told, as_of: date, first_day: date) -> dict[str, Any]:
    assert campaign.last is not None
    note = (
        f"its last contact was on {campaign.last}, and logs are read from {first_day} on: the campaign is left out; its"
        " name may be taken out of campaigns.lift.observed"
    )
    return check_row(campaign.campaign_id, "recent contacts", None, (as_of - campaign.last).days, None, note)


def _unknown(campaign: Told) -> dict[str, Any]:
    note = (
        f"{campaign.rows} outcomes of a campaign that no published run planned are left out; name it in"
        " campaigns.lift.observed where another tool ran it, or mend its id"
    )
    return check_row(campaign.campaign_id, "known campaign", False, campaign.rows, 0.0, note)
