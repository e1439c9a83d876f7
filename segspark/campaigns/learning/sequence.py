"""The lift of an action, with an interval that holds however often one looks.

A plain 95 % interval holds for one look. Who looks every week and acts on the first interval without zero errs far
more often: 20 looks, a quarter of all actions without effect. A confidence sequence covers the truth at all looks
together with the stated probability. This one is the normal mixture of Robbins (1970, Statistical methods related to
the law of the iterated logarithm) in the asymptotic form of Waudby-Smith, Arbour, Sinha, Kennedy and Ramdas (2021,
Time-uniform central limit theory and asymptotic confidence sequences, theorem 2.2):

    estimate +- sigma sqrt((t rho^2 + 1) / (t^2 rho^2) * log((t rho^2 + 1) / level^2))

with t the information so far. With the estimate's own standard error se = sigma / sqrt(t) that is

    estimate +- se sqrt((1 + 1 / (t rho^2)) * log((t rho^2 + 1) / level^2))

Each campaign is a stratum: the contacted with an action are set against those held out from the same action in the
same campaign, so a rate that drifts from week to week moves both sides. A stratum of n contacted and m held out weighs
h = n m / (n + m) pairs (Mantel and Haenszel's weights for a difference of rates: 90 and 10 users weigh 9).

Discounting. A stratum begun k weeks after the first weighs d^-k h, d being `weekly_discount`: relative to the newest
that is d^age h. Written so, no weight ever changes after its campaign was sent, so the weighted sum of the strata's
errors is a martingale, with information t = sum of d^-2k h, and its variance is that of the weighted estimate,
sum w^2 v / (sum w)^2. The price of forgetting is in t: it grows without end and the interval, in standard errors, with
its logarithm. The interval speaks of the weighted mean of the strata's lifts.

The level is that of one action in one segment: of 40 without any effect, two may look proven some day.
"""

import math
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date

import numpy as np
from numpy.typing import NDArray
from scipy.stats import norm

from segspark.campaigns.config import LearningConfig
from segspark.campaigns.evidence import Evidence, Sums
from segspark.campaigns.learning.posteriors import DAYS_A_WEEK

TIGHTEST_AT = 200.0  # pairs at which the interval is narrowest: 3.0 standard errors; 3.9 at a tenth, 3.3 at 20 times
STEADYING_EVENTS = 5.0  # conversions by which a side's own variance is steadied while it has seen few

Numbers = NDArray[np.float64]


@dataclass(frozen=True)
class Sequence:
    """The lift so far and its interval."""

    lift: float
    low: float
    high: float
    error: float  # standard error of the lift
    users: int  # contacted
    held_out: int

    @property
    def is_above_zero(self) -> bool:
        return self.low > 0

    @property
    def is_below_zero(self) -> bool:
        return self.high < 0

    def plain(self, level: float) -> tuple[float, float]:
        """The interval that holds for a single look."""
        half = float(norm.ppf(1 - level / 2)) * self.error
        return self.lift - half, self.lift + half


@dataclass(frozen=True)
class _Strata:
    """The campaigns that have every side, oldest first. Arrays of sums are [sides, strata]."""

    signs: Numbers  # [sides], of their means in the lift
    weeks: Numbers  # [strata], after the first
    users: Numbers
    converted: Numbers
    revenue: Numbers
    revenue_squares: Numbers

    @property
    def pairs(self) -> Numbers:
        return np.asarray(1 / (1 / self.users).sum(axis=0), dtype=np.float64)


def lift_sequence(evidence: Iterable[Evidence], config: LearningConfig) -> Sequence | None:
    """The lift of one action in one segment, of what the objective counts, from the evidence of both; None before any
    campaign with both sides, and of revenue where nobody has paid anything."""
    return _of_objective(_strata([(1, _split(evidence))]), config)


def conversion_sequence(evidence: Iterable[Evidence], config: LearningConfig) -> Sequence | None:
    """The same, of the conversion rate whatever the objective."""
    return _of_conversions(_strata([(1, _split(evidence))]), config)


def contrast_sequence(
    evidence: Iterable[Evidence], other: Iterable[Evidence], config: LearningConfig
) -> Sequence | None:
    """The lift of one action less that of another, over the campaigns that had both: each against its own held out, so
    that they may be for different people. A stratum's pairs are one by the sum of 1 / n over the four sides."""
    return _of_objective(_strata([(1, _split(evidence)), (-1, _split(other))]), config)


def _of_objective(strata: _Strata | None, config: LearningConfig) -> Sequence | None:
    return _of_revenue(strata, config) if config.objective == "revenue" else _of_conversions(strata, config)


def _of_conversions(strata: _Strata | None, config: LearningConfig) -> Sequence | None:
    """The variance of a side is r (1 - r) of its rate r over all campaigns: a rate that drifts makes it too large, not
    too small."""
    if strata is None:
        return None
    users, converted = strata.users.sum(axis=1), strata.converted.sum(axis=1)
    steadying = _steadying_users(strata)
    rates = (converted + steadying * _common_rate(strata)) / (users + steadying)
    return _sequence(strata, strata.converted / strata.users, rates * (1 - rates), config)


def _of_revenue(strata: _Strata | None, config: LearningConfig) -> Sequence | None:
    """The variance of a side is that of its users within campaigns."""
    if strata is None:
        return None
    within = np.maximum(strata.revenue_squares - strata.revenue**2 / strata.users, 0.0).sum(axis=1)
    freedom = np.maximum(strata.users - 1, 0.0).sum(axis=1)
    common = within.sum() / max(freedom.sum(), 1.0)
    steadying = _steadying_users(strata)
    variances = (within + steadying * common) / (freedom + steadying)
    return _sequence(strata, strata.revenue / strata.users, variances, config) if common > 0 else None


def width_in_errors(log_information: float, level: float) -> float:
    """Half the interval in standard errors, at exp(log_information) pairs."""
    reach = -2 * math.log(level)
    log_rho = math.log((reach + math.log1p(reach)) / TIGHTEST_AT)  # rho^2, near its best for TIGHTEST_AT (ibid.)
    log_x = log_information + log_rho
    return math.sqrt((1 + math.exp(-log_x)) * (float(np.logaddexp(0.0, log_x)) + reach))


def _common_rate(strata: _Strata) -> float:
    """Of all sides; never 0 or 1 (Agresti and Caffo 2000)."""
    return float((strata.converted.sum() + 1) / (strata.users.sum() + 2))


def _steadying_users(strata: _Strata) -> float:
    """As many as show STEADYING_EVENTS. Without them a small side that happens to have no conversion yet would have no
    variance either, and its rate of zero would look certain."""
    rate = _common_rate(strata)
    return STEADYING_EVENTS / (rate * (1 - rate))


def _sequence(strata: _Strata, means: Numbers, variances: Numbers, config: LearningConfig) -> Sequence:
    growth = -math.log(config.weekly_discount) * strata.weeks
    weights = strata.pairs * np.exp(growth - growth.max())
    weights /= weights.sum()
    lift = float(weights @ (strata.signs @ means))
    error = math.sqrt(float(weights**2 @ (variances @ (1 / strata.users))))
    information = float(np.logaddexp.reduce(2 * growth + np.log(strata.pairs)))
    half = error * width_in_errors(information, config.level)
    contacted, held_out = (int(users) for users in strata.users.sum(axis=1)[:2])
    return Sequence(lift, lift - half, lift + half, error, contacted, held_out)


def _split(evidence: Iterable[Evidence]) -> tuple[list[Evidence], list[Evidence]]:
    """The contacted, the held out."""
    rows = list(evidence)
    return [row for row in rows if row.treated], [row for row in rows if not row.treated]


def _strata(actions: list[tuple[int, tuple[list[Evidence], list[Evidence]]]]) -> _Strata | None:
    """By action its sign and its two sides."""
    sides = [(sign * way, rows) for sign, both in actions for way, rows in zip((1, -1), both, strict=True)]
    sums: dict[str, list[Sums]] = {}
    starts: dict[str, date] = {}
    for place, (_, rows) in enumerate(sides):
        for row in rows:
            sums.setdefault(row.campaign_id, [Sums() for _ in sides])[place] += row.sums
            starts[row.campaign_id] = min(starts.get(row.campaign_id, row.starts_on), row.starts_on)
    full = sorted((starts[name], name) for name, all_sides in sums.items() if all(side.users for side in all_sides))
    if not full:
        return None
    weeks = [(start - full[0][0]).days / DAYS_A_WEEK for start, _ in full]

    def of_each(field: str) -> Numbers:
        return np.array([[float(getattr(sums[name][place], field)) for _, name in full] for place in range(len(sides))])

    fields = ("users", "converted", "revenue", "revenue_squares")
    signs = np.array([float(sign) for sign, _ in sides])
    return _Strata(signs, np.array(weeks), *[of_each(field) for field in fields])
