"""Whether a campaign ran as it was planned: rows of campaign_checks from counts."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from typing import Any

from scipy import stats

SAMPLE_RATIO = "sample ratio"
MISMATCH = 0.001  # p-value of sample-ratio mismatch, as is usual (Fabijan et al. 2019)
LEAST_DELIVERED = 0.9  # share of planned contacts
LEAST_ON_TIME = 0.9  # share of delivered contacts


@dataclass(frozen=True)
class CampaignCounts:
    """What happened to the users of a campaign.

    `holdout_share` is of those who may be contacted, as planned; None where plans of the campaign had different ones.
    `treated_users` and `control_users` are who is compared, since their window has closed; the others are contacts.
    """

    campaign_id: str
    holdout_share: float | None
    treated_users: int
    control_users: int
    planned: int  # contacts whose day has come
    delivered: int  # of them
    on_time: int  # of these, on the planned day
    contaminated: int  # held-out users who were contacted
    unknown: int  # contacts of users nobody knows
    unplanned: int  # contacts of known users whom the campaign did not plan to contact, nor to hold out
    windows: int  # of who was planned, on either side, closed or not
    open_until: date | None  # when the last window closes; None where all have


def check_campaign(counts: CampaignCounts) -> list[dict[str, Any]]:
    """Seven rows of campaign_checks. Where there is nothing to check, `passed` and `value` are null."""
    return [
        _sample_ratio(counts),
        _delivered(counts),
        _on_time(counts),
        _contaminated(counts),
        _stray(counts, "unknown users", counts.unknown, "contacts of users nobody knows; they are left out"),
        _stray(counts, "unplanned contacts", counts.unplanned, "contacts that were not planned; they are left out"),
        windows_row(counts.campaign_id, counts.treated_users + counts.control_users, counts.windows, counts.open_until),
    ]


def check_row(
    campaign_id: str, check: str, passed: bool | None, value: float | None, bound: float | None, note: str
) -> dict[str, Any]:
    """A row of campaign_checks."""
    value = None if value is None else float(value)
    return {
        "campaign_id": campaign_id,
        "check": check,
        "passed": passed,
        "value": value,
        "bound": bound,
        "note": note,
    }


def windows_row(campaign_id: str, closed: int, windows: int, open_until: date | None) -> dict[str, Any]:
    """Whether everybody's window has closed, so that there may be verdicts. Still open is neither passed nor failed."""
    share = closed / windows if windows else None
    found = f"{closed} of {windows} windows have closed"
    if open_until is not None:
        found += (
            f", the last does on {open_until}: until then verdicts are inconclusive, since who looks at every run"
            " finds effects by chance"
        )
    return check_row(campaign_id, "windows closed", True if open_until is None else None, share, 1.0, found)


def unsent_row(campaign_id: str) -> dict[str, Any]:
    """Of a campaign of which no outcome tells a contact, though outcomes tell those of others."""
    note = (
        "no outcome tells that anybody was contacted, as outcomes of other campaigns do: it was not sent, or its"
        " outcomes have not come, so it has no effects to tell"
    )
    return check_row(campaign_id, "sent", False, 0.0, None, note)


def _sample_ratio(counts: CampaignCounts) -> dict[str, Any]:
    """A chi-square test of how many the plan held out against how many it should have.

    It counts rows of the plan, whatever became of the contacts: those that got lost are for `delivered`. Shares are
    drawn to one user per segment, which varies less than the test allows for: it is rather too quiet.
    """
    check, users = SAMPLE_RATIO, counts.treated_users + counts.control_users
    if counts.holdout_share is None:
        note = "the campaign was planned by different shares, so no one share tells how many should be held out"
        return check_row(counts.campaign_id, check, None, None, MISMATCH, note)
    if not users or not 0 < counts.holdout_share < 1:
        return check_row(counts.campaign_id, check, None, None, MISMATCH, "no users to compare, or none held out")
    planned = [users * (1 - counts.holdout_share), users * counts.holdout_share]
    p_value = float(stats.chisquare([counts.treated_users, counts.control_users], planned).pvalue)
    passed = p_value >= MISMATCH
    found = (
        f"the plan holds out {counts.control_users / users:.2%} of {users} users, {counts.holdout_share:.2%} were to be"
    )
    meaning = (
        "as chance allows (value: p-value). Contacts that got lost do not move this: see delivered"
        if passed
        else "more than chance explains (value: p-value): the plan lost rows of one side, or drew it by another share,"
        " so its effects have no verdict and teach nothing. Contacts that got lost do not move this: see delivered"
    )
    return check_row(counts.campaign_id, check, passed, p_value, MISMATCH, f"{found}: {meaning}")


def _delivered(counts: CampaignCounts) -> dict[str, Any]:
    check = "delivered"
    if not counts.planned:
        return check_row(counts.campaign_id, check, None, None, LEAST_DELIVERED, "no contact was due")
    share = counts.delivered / counts.planned
    found = f"{counts.delivered} of {counts.planned} planned contacts were made"
    passed = share >= LEAST_DELIVERED
    meaning = (
        "" if passed else "; who was reached may differ from who was not, and nobody tells them apart in the holdout"
    )
    return check_row(counts.campaign_id, check, passed, share, LEAST_DELIVERED, found + meaning)


def _on_time(counts: CampaignCounts) -> dict[str, Any]:
    check = "sent on the planned day"
    if not counts.delivered:
        return check_row(counts.campaign_id, check, None, None, LEAST_ON_TIME, "no contact was made")
    share = counts.on_time / counts.delivered
    passed = share >= LEAST_ON_TIME
    found = f"{counts.on_time} of {counts.delivered} contacts were made on the planned day"
    meaning = (
        ""
        if passed
        else "; the others count from the planned day on, as who is held out does, so that their window has fewer days"
        " after the contact where it came late"
    )
    return check_row(counts.campaign_id, check, passed, share, LEAST_ON_TIME, found + meaning)


def _contaminated(counts: CampaignCounts) -> dict[str, Any]:
    found = f"{counts.contaminated} held-out users were contacted anyway"
    meaning = "; they stay held out, which makes an effect look smaller than it is" if counts.contaminated else ""
    return check_row(
        counts.campaign_id, "held-out contacted", not counts.contaminated, counts.contaminated, 0.0, found + meaning
    )


def _stray(counts: CampaignCounts, check: str, found: int, meaning: str) -> dict[str, Any]:
    return check_row(counts.campaign_id, check, found == 0, found, 0.0, f"{found} {meaning}")
