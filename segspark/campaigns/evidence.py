"""What campaigns showed, added up: a few numbers per campaign, segment, action and side, whatever the users.

`responses` is one row per user of a campaign whose attribution window has closed:

- campaign_id, user_id, segment_name, action
- treated (boolean): contacted; false: held out, and `action` is what they would have got
- propensity (double): how likely that action was for the user; null where nobody knows
- allowed (array<string>): the actions that the user could get, sorted; null where nobody knows
- starts_on (date): the day from which the window counts
- converted (boolean), revenue (double): whether they ordered in the window, and what they paid
- revenue_before (double): what they paid in the days before the contact
- active_days (int): days with any event or order in the window
- rating (double), ratings (int): the sum of their ratings in the window, and how many
"""

from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from typing import Any

from pyspark.sql import Column, DataFrame, Row
from pyspark.sql import functions as F

ALL = "all"  # in place of a segment or an action: all of them
SIDE = ("campaign_id", "starts_on", "segment_name", "action", "treated")


@dataclass(frozen=True)
class Sums:
    """One side, or several added up. Sums of squares and products are over users."""

    users: int = 0
    converted: int = 0
    revenue: float = 0.0
    revenue_squares: float = 0.0
    before: float = 0.0
    before_squares: float = 0.0
    products: float = 0.0  # of revenue and what was paid before
    active_days: int = 0
    active_squares: int = 0
    raters: int = 0
    rating: float = 0.0  # over raters, of each one's mean
    rating_squares: float = 0.0

    def __add__(self, other: "Sums") -> "Sums":
        mine, theirs = vars(self), vars(other)
        return Sums(**{name: mine[name] + theirs[name] for name in mine})


@dataclass(frozen=True)
class Evidence:
    """What one side of one campaign did, for one segment and action, from one day on."""

    campaign_id: str
    starts_on: date
    segment_name: str
    action: str
    treated: bool
    sums: Sums


def add_up(responses: DataFrame) -> DataFrame:
    """One row per campaign, first day, segment, action and side, with the fields of `Sums`.

    Sums are of decimals, so that no order of the rows changes a bit.
    """
    revenue, before = _money("revenue"), _money("revenue_before")
    active = F.coalesce("active_days", F.lit(0)).cast("bigint")
    mean_rating = F.try_divide("rating", "ratings").cast("decimal(12,6)")
    return responses.groupBy(*SIDE).agg(
        F.count(F.lit(1)).alias("users"),
        F.count_if("converted").alias("converted"),
        F.sum(revenue).alias("revenue"),
        F.sum(revenue * revenue).alias("revenue_squares"),
        F.sum(before).alias("before"),
        F.sum(before * before).alias("before_squares"),
        F.sum(revenue * before).alias("products"),
        F.sum(active).alias("active_days"),
        F.sum(active * active).alias("active_squares"),
        F.count(mean_rating).alias("raters"),
        F.coalesce(F.sum(mean_rating), F.lit(0)).alias("rating"),
        F.coalesce(F.sum(mean_rating * mean_rating), F.lit(0)).alias("rating_squares"),
    )


def evidence_of(row: Row | Mapping[str, Any]) -> Evidence:
    """A row of `add_up` or of campaign_evidence, collected."""
    values: dict[str, Any] = {n: float(row[n]) if isinstance(row[n], Decimal) else row[n] for n in vars(Sums())}
    sides: dict[str, Any] = {name: row[name] for name in SIDE}
    return Evidence(**sides, sums=Sums(**values))


def evidence_rows(
    evidence: Iterable[Evidence], scheme: str, basis: Mapping[str, str], distrusted: Collection[str] = ()
) -> list[dict[str, Any]]:
    """Rows of campaign_evidence. `basis` tells what a campaign was measured by, `distrusted` which teach nothing."""
    return [
        {"scheme": scheme, "basis": basis.get(each.campaign_id), "trusted": each.campaign_id not in distrusted}
        | {name: getattr(each, name) for name in SIDE}
        | vars(each.sums)
        for each in evidence
    ]


def _money(name: str) -> Column:
    return F.coalesce(F.col(name), F.lit(0.0)).cast("decimal(15,4)")
