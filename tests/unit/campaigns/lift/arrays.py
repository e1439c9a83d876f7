"""Evidence from arrays of users, so that campaigns are simulated without Spark."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date

import numpy as np

from segspark.campaigns.evidence import Evidence, Sums
from segspark.campaigns.lift.checks import CampaignCounts

STARTS_ON = date(2024, 3, 1)


def side(
    segment_name: str,
    action: str,
    treated: bool,
    revenue: Sequence[float] | np.ndarray = (),
    *,
    converted: Sequence[bool] | np.ndarray | None = None,
    before: Sequence[float] | np.ndarray | None = None,
    active: Sequence[int] | np.ndarray | None = None,
    ratings: Sequence[float] | np.ndarray = (),
    campaign_id: str = "spring",
    starts_on: date = STARTS_ON,
) -> Evidence:
    """The evidence of users given one by one. Without `converted`, who paid ordered."""
    revenue = np.asarray(revenue, dtype=float)
    ordered = revenue > 0 if converted is None else np.asarray(converted, dtype=bool)
    before = np.zeros(len(revenue)) if before is None else np.asarray(before, dtype=float)
    active = np.zeros(len(revenue), dtype=int) if active is None else np.asarray(active)
    ratings = np.asarray(ratings, dtype=float)
    sums = Sums(
        users=len(revenue),
        converted=int(ordered.sum()),
        revenue=float(revenue.sum()),
        revenue_squares=float((revenue**2).sum()),
        before=float(before.sum()),
        before_squares=float((before**2).sum()),
        products=float((revenue * before).sum()),
        active_days=int(active.sum()),
        active_squares=int((active**2).sum()),
        raters=len(ratings),
        rating=float(ratings.sum()),
        rating_squares=float((ratings**2).sum()),
    )
    return Evidence(campaign_id, starts_on, segment_name, action, treated, sums)


def row_of(rows: list[dict], measure: str, segment_name: str = "all", action: str = "all") -> dict:
    """The one row with the key."""
    (row,) = [
        row for row in rows if (row["measure"], row["segment_name"], row["action"]) == (measure, segment_name, action)
    ]
    return row


@dataclass(frozen=True)
class Shop:
    """A simulated shop: a share of users order, what they pay is log-normal, and who spent before spends again."""

    rate: float = 0.05
    sigma: float = 0.8  # of the logarithm of what an order is worth
    level: float = 3.0  # its mean

    def users(self, rng: np.random.Generator, count: int, more_orders: float = 0.0, more_money: float = 1.0) -> dict:
        """Arrays of users: revenue, converted, before, active. Effects are on the rate and on an order's worth."""
        taste = rng.normal(size=count)
        converted = rng.random(count) < self.rate + more_orders
        worth = np.exp(self.level + self.sigma * (0.6 * taste + 0.8 * rng.normal(size=count)))
        before = np.where(rng.random(count) < 4 * self.rate, np.exp(self.level + self.sigma * taste), 0.0)
        return {
            "revenue": np.where(converted, worth * more_money, 0.0),
            "converted": converted,
            "before": before,
            "active": rng.binomial(14, 0.08, count),
        }

    def pair(
        self, rng: np.random.Generator, segment_name: str, action: str, sizes: tuple[int, int], **effect: float
    ) -> list[Evidence]:
        """Both sides of a segment and action, with ratings by a fifth; `sizes` are the contacted and the held out."""
        made = []
        for treated, size in zip((True, False), sizes, strict=True):
            users = self.users(rng, size, **(effect if treated else {}))
            ratings = rng.choice([1.0, 2, 3, 4, 5], p=[0.1, 0.05, 0.1, 0.25, 0.5], size=size // 5)
            made.append(side(segment_name, action, treated, ratings=ratings, **users))
        return made


def counts(**given) -> CampaignCounts:
    """Counts of a campaign of 10,000 users in which nothing went wrong."""
    plain = {
        "campaign_id": "spring",
        "holdout_share": 0.1,
        "treated_users": 9000,
        "control_users": 1000,
        "planned": 9000,
        "delivered": 9000,
        "on_time": 9000,
        "contaminated": 0,
        "unknown": 0,
        "unplanned": 0,
        "windows": 10_000,
        "open_until": None,
    }
    return CampaignCounts(**(plain | given))
