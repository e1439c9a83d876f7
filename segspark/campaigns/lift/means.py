"""Two means compared, from sums: of users, of their values and of the squares."""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from functools import partial

from scipy import stats

from segspark.campaigns.lift.detectable import Noise, Spread, least_of_growth, least_of_shift
from segspark.campaigns.lift.effect import Effect

ROUNDING = 1e-12  # a variance below this share of the mean square is what rounding leaves of none


@dataclass(frozen=True)
class Moments:
    """Users of one side, their mean, and their variance (n - 1)."""

    users: int
    mean: float
    variance: float


def moments(users: int, total: float, squares: float) -> Moments:
    """From the sum and the sum of squares; never a variance below 0, and 0 where only rounding is left of it."""
    if not users:
        return Moments(0, math.nan, 0.0)
    mean, mean_square = total / users, squares / users
    spread = mean_square - mean * mean
    is_constant = users < 2 or spread <= ROUNDING * mean_square
    return Moments(users, mean, 0.0 if is_constant else spread * users / (users - 1))


def share_moments(users: int, count: int) -> Moments:
    """Of a column of zeros and ones."""
    return moments(users, count, count)


def compare_means(pairs: Sequence[tuple[Moments, Moments]], level: float, *, grows: bool = False) -> Effect:
    """Means of (treated, control), by Welch's test and by Student's with pooled variance, whichever finds less.

    Welch's alone is no guide to money: spending is skewed, and a small holdout without its big spenders has a low mean
    and a low variance, so that with a tenth held out it finds up to ten times as many effects as it may. Without an
    effect both sides spend alike, so that their common variance holds, as it does in the score test of shares. A test
    that rejects only where both reject is valid where either is. Interval and p-value are of the same two tests.

    Several pairs are compared each by itself and averaged by their treated users: the effect on who was contacted.
    Degrees of freedom by Satterthwaite (1946), who also has Welch's case of one pair. `grows` tells of values whose
    variance grows with their mean, as money's does: it is for the least detectable difference.
    """
    usable = [pair for pair in pairs if min(pair[0].users, pair[1].users) >= 2]
    if not usable:
        return _without_test(pairs)
    treated_users = sum(treated.users for treated, _ in usable)
    control_users = sum(control.users for _, control in usable)
    weights = [treated.users / treated_users for treated, _ in usable]
    mean = sum(w * treated.mean for w, (treated, _) in zip(weights, usable, strict=True))
    control_mean = sum(w * control.mean for w, (_, control) in zip(weights, usable, strict=True))
    noises = [noise for noise in (_welch(weights, usable), _pooled(weights, usable)) if noise is not None]
    effect = effect_of(treated_users, control_users, mean, control_mean, noises, level)
    if not noises or not grows or not control_mean > 0:
        return effect
    spread = _spread(weights, usable, control_mean)
    return replace(effect, least_detectable=partial(least_of_growth, tuple(noises), spread))


def effect_of(
    treated_users: int, control_users: int, treated: float, control: float, noises: Sequence[Noise], level: float
) -> Effect:
    """By two-sided t tests with the given noise, whichever finds least; no test without noise."""
    if not noises:
        return Effect(treated_users, control_users, treated, control)
    lift = treated - control
    margin = max(float(stats.t.isf(level / 2, noise.freedom)) * noise.error for noise in noises)
    p_value = max(2 * float(stats.t.sf(abs(lift) / noise.error, noise.freedom)) for noise in noises)
    find = partial(least_of_shift, tuple(noises))
    return Effect(treated_users, control_users, treated, control, lift - margin, lift + margin, p_value, find)


def _without_test(pairs: Sequence[tuple[Moments, Moments]]) -> Effect:
    treated_users = sum(treated.users for treated, _ in pairs)
    control_users = sum(control.users for _, control in pairs)
    treated = sum(side.users * side.mean for side, _ in pairs if side.users)
    control = sum(side.users * side.mean for _, side in pairs if side.users)
    return Effect(
        treated_users,
        control_users,
        treated / treated_users if treated_users else None,
        control / control_users if control_users else None,
    )


def _welch(weights: Sequence[float], pairs: Sequence[tuple[Moments, Moments]]) -> Noise | None:
    return noise_of(
        (w * w * side.variance / side.users, side.users - 1)
        for w, pair in zip(weights, pairs, strict=True)
        for side in pair
    )


def _pooled(weights: Sequence[float], pairs: Sequence[tuple[Moments, Moments]]) -> Noise | None:
    return noise_of(
        (w * w * _common_variance(one, other) * (1 / one.users + 1 / other.users), one.users + other.users - 2)
        for w, (one, other) in zip(weights, pairs, strict=True)
    )


def _common_variance(one: Moments, other: Moments) -> float:
    spread = (one.users - 1) * one.variance + (other.users - 1) * other.variance
    return spread / (one.users + other.users - 2)


def _spread(weights: Sequence[float], pairs: Sequence[tuple[Moments, Moments]], mean: float) -> Spread:
    variances = [_common_variance(*pair) for pair in pairs]
    parts = [(w, variance, *pair) for w, variance, pair in zip(weights, variances, pairs, strict=True)]
    return Spread(
        treated=sum(w * w * variance / treated.users for w, variance, treated, _ in parts),
        control=sum(w * w * variance / control.users for w, variance, _, control in parts),
        mean=mean,
        variance=sum(w * variance for w, variance, *_ in parts),
    )


def noise_of(parts: Iterable[tuple[float, float]]) -> Noise | None:
    """Of independent (variance of an estimate, degrees of freedom), added up."""
    parts = list(parts)
    total = sum(variance for variance, _ in parts)
    if not total > 0:
        return None
    return Noise(math.sqrt(total), total * total / sum(variance * variance / freedom for variance, freedom in parts))
