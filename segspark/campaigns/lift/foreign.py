"""Campaigns in the outcomes that no published run planned: of other tools, or a mistake."""

from collections.abc import Collection, Iterable
from dataclasses import dataclass
from datetime import date
from fnmatch import fnmatchcase
from typing import Any

from pyspark.sql import DataFrame, Row
from pyspark.sql import functions as F

from segspark.campaigns.lift.checks import check_row, windows_row
from segspark.campaigns.windows import closes_after


@dataclass(frozen=True)
class Foreign:
    """One such campaign: its rows in the log, and its contacts."""

    campaign_id: str
    rows: int
    contacts: int
    closed: int  # contacts whose window has closed
    first: date | None  # of its contacts
    last: date | None

    def open_until(self, attribution_days: int, as_of: date) -> date | None:
        """When the last window closes; None where all have."""
        return None if self.last is None else closes_after(self.last, attribution_days, as_of)


@dataclass(frozen=True)
class Sorted:
    """What becomes of them."""

    observed: list[Foreign]  # to adjust for
    old: list[Foreign]  # wanted, too, but from before the logs that are read
    unknown: list[Foreign]  # that nobody knows


def count_foreign(outcomes: DataFrame, planned: Collection[str], attribution_days: int, as_of: date) -> DataFrame:
    """One row per campaign that is not in `planned`, with the fields of `Foreign`."""
    ends_at = F.timestamp_add("DAY", F.lit(attribution_days), "sent_at")
    sent_at = F.when(F.col("treated"), F.col("sent_at"))
    counts = outcomes.groupBy("campaign_id").agg(
        F.count(F.lit(1)).alias("rows"),
        F.count_if("treated").alias("contacts"),
        F.count_if(F.col("treated") & (ends_at <= F.lit(as_of).cast("timestamp"))).alias("closed"),
        F.to_date(F.min(sent_at)).alias("first"),
        F.to_date(F.max(sent_at)).alias("last"),
    )
    return counts.where(~F.col("campaign_id").isin(*sorted(planned))) if planned else counts


def sort_foreign(rows: Iterable[Row], patterns: Iterable[str], first_day: date) -> Sorted:
    """From collected rows of `count_foreign`: wanted are those that a pattern names; logs are read from `first_day`."""
    found = sorted((Foreign(**row.asDict()) for row in rows), key=lambda each: each.campaign_id)
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


def _old(campaign: Foreign, as_of: date, first_day: date) -> dict[str, Any]:
    assert campaign.last is not None
    note = (
        f"its last contact was on {campaign.last}, and logs are read from {first_day} on: the campaign is left out; its"
        " name may be taken out of campaigns.lift.observed"
    )
    return check_row(campaign.campaign_id, "recent contacts", None, (as_of - campaign.last).days, None, note)


def _unknown(campaign: Foreign) -> dict[str, Any]:
    note = (
        f"{campaign.rows} outcomes of a campaign that no published run planned are left out; name it in"
        " campaigns.lift.observed where another tool ran it, or mend its id"
    )
    return check_row(campaign.campaign_id, "known campaign", False, campaign.rows, 0.0, note)
