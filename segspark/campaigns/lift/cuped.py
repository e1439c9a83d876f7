"""Revenue narrowed by what was spent before: CUPED (Deng, Xu, Kohavi and Walker 2013)."""

from __future__ import annotations

from collections.abc import Sequence

from segspark.campaigns.evidence import Sums
from segspark.campaigns.lift.groups import Pair
from segspark.campaigns.lift.means import ROUNDING, Moments, moments


def adjusted_moments(pairs: Sequence[Pair]) -> list[tuple[Moments, Moments]]:
    """Of revenue - theta * (before - mean of before over all), by pair and side.

    theta is the covariance of revenue and revenue before by the variance of the latter, both within the sides and
    pooled over them, so that an effect on revenue is not part of it. Where nobody spent before it is 0.
    """
    sides = [side for pair in pairs for side in (pair.treated, pair.control) if side.users]
    covariance = sum(_centred_products(side) for side in sides)
    spread = sum(max(0, side.users - 1) * _before(side).variance for side in sides)
    theta = covariance / spread if spread > 0 else 0.0
    users = sum(side.users for side in sides)
    centre = sum(side.before for side in sides) / users if users else 0.0
    return [(_adjusted(pair.treated, theta, centre), _adjusted(pair.control, theta, centre)) for pair in pairs]


def _adjusted(side: Sums, theta: float, centre: float) -> Moments:
    paid, before = moments(side.users, side.revenue, side.revenue_squares), _before(side)
    if side.users < 2:
        return Moments(side.users, paid.mean - theta * (before.mean - centre), 0.0)
    covariance = _centred_products(side) / (side.users - 1)
    variance = paid.variance - 2 * theta * covariance + theta * theta * before.variance
    is_constant = variance <= ROUNDING * (paid.variance + theta * theta * before.variance)
    return Moments(side.users, paid.mean - theta * (before.mean - centre), 0.0 if is_constant else variance)


def _before(side: Sums) -> Moments:
    return moments(side.users, side.before, side.before_squares)


def _centred_products(side: Sums) -> float:
    return side.products - side.revenue * side.before / side.users
