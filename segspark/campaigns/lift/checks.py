"""Whether a campaign ran as it was planned: rows of campaign_checks from counts."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from scipy import stats

MISMATCH = 0.001  # p-value of sample-ratio mismatch, as is usual (Fabijan et al. 2019)
LEAST_DELIVERED = 0.9  # share of planned contacts


@dataclass(frozen=True)
class CampaignCounts:
    """What happened to the users of a campaign whose window has closed.

    `holdout_share` is of those who may be contacted, as planned. `treated_users` and `control_users` are who is
    compared; the others are contacts.
    """

    campaign_id: str
    holdout_share: float
    treated_users: int
    control_users: int
    planned: int  # contacts whose day has come
    delivered: int  # of them
    contaminated: int  # held-out users who were contacted
    unknown: int  # contacts of users nobody knows
    unplanned: int  # contacts of known users whom the campaign did not plan to contact, nor to hold out


def check_campaign(counts: CampaignCounts) -> list[dict[str, Any]]:
    """Five rows of campaign_checks. Where there is nothing to check, `passed` and `value` are null."""
    return [
        _sample_ratio(counts),
        _delivered(counts),
        _contaminated(counts),
        _stray(counts, "unknown users", counts.unknown, "contacts of users nobody knows; they are left out"),
        _stray(counts, "unplanned contacts", counts.unplanned, "contacts that were not planned; they are left out"),
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


def _sample_ratio(counts: CampaignCounts) -> dict[str, Any]:
    """A chi-square test of how many were compared against how many were planned to.

    Shares are drawn to one user per segment, which varies less than the test allows for: it is rather too quiet.
    """
    check, users = "sample ratio", counts.treated_users + counts.control_users
    if not users or not 0 < counts.holdout_share < 1:
        return check_row(counts.campaign_id, check, None, None, MISMATCH, "no users to compare, or none held out")
    planned = [users * (1 - counts.holdout_share), users * counts.holdout_share]
    p_value = float(stats.chisquare([counts.treated_users, counts.control_users], planned).pvalue)
    passed = p_value >= MISMATCH
    found = f"{counts.control_users / users:.2%} of {users} users are held out, planned were {counts.holdout_share:.2%}"
    meaning = (
        "as chance allows (value: p-value)"
        if passed
        else "more than chance explains (value: p-value): one side lost users, so do not trust the lifts before it is"
        " known why; look for contacts that were not delivered or not reported"
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


def _contaminated(counts: CampaignCounts) -> dict[str, Any]:
    found = f"{counts.contaminated} held-out users were contacted anyway"
    meaning = "; they stay held out, which makes an effect look smaller than it is" if counts.contaminated else ""
    return check_row(
        counts.campaign_id, "held-out contacted", not counts.contaminated, counts.contaminated, 0.0, found + meaning
    )


def _stray(counts: CampaignCounts, check: str, found: int, meaning: str) -> dict[str, Any]:
    return check_row(counts.campaign_id, check, found == 0, found, 0.0, f"{found} {meaning}")
