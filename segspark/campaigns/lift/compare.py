"""Two sides compared: means, difference, interval, p-value, and what difference such sides would find."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass

from scipy import optimize, stats
from statsmodels.stats.power import ttest_power
from statsmodels.stats.proportion import (
    confint_proportions_2indep,
    power_proportions_2indep,
    test_proportions_2indep,
)

FEW_EXPECTED = 5.0  # users expected in a cell of the table, below which the score test is no guide (Cochran 1954)
ROUNDING = 1e-12  # a variance below this share of the mean square is what rounding leaves of none
FARTHEST = 1e6  # standard errors


@dataclass(frozen=True)
class Moments:
    """Users of one side, their mean, and their variance (n - 1)."""

    users: int
    mean: float
    variance: float


@dataclass(frozen=True)
class Noise:
    """Standard error of a difference and its degrees of freedom."""

    error: float
    freedom: float


@dataclass(frozen=True)
class Effect:
    """Treated against control. None is what cannot be told.

    `power` gives the chance to find a true difference at a level; `largest` is the largest difference possible.
    """

    treated_users: int
    control_users: int
    treated: float | None
    control: float | None
    low: float | None = None
    high: float | None = None
    p_value: float | None = None
    power: Callable[[float, float], float] | None = None
    largest: float = math.inf
    unit: float = 1.0  # the scale of differences, from where to search

    @property
    def lift(self) -> float | None:
        """Treated - control."""
        return None if self.treated is None or self.control is None else self.treated - self.control


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


def compare_shares(converted: int, users: int, control_converted: int, control_users: int, level: float) -> Effect:
    """Newcombe's interval (1998, method 10) and the score test; Fisher's exact test where few are expected.

    With few expected in a small holdout the score test finds up to three times as many effects as it may; Fisher's
    never more than it may.
    """
    rate = converted / users if users else None
    control_rate = control_converted / control_users if control_users else None
    if rate is None or control_rate is None or min(users, control_users) < 2:
        return Effect(users, control_users, rate, control_rate)
    counts = (converted, users, control_converted, control_users)
    low, high = confint_proportions_2indep(*counts, method="newcomb", compare="diff", alpha=level)
    return Effect(
        users, control_users, rate, control_rate, float(low), float(high), _share_p_value(*counts),
        power=lambda difference, at: float(
            power_proportions_2indep(difference, control_rate, users, control_users / users, at, return_results=False)
        ),
        largest=1.0 - control_rate,
        unit=math.sqrt(max(control_rate * (1 - control_rate), 1 / control_users) / control_users),
    )  # fmt: skip


def compare_means(pairs: Sequence[tuple[Moments, Moments]], level: float) -> Effect:
    """Means of (treated, control), by Welch's test and by Student's with pooled variance, whichever finds less.

    Welch's alone is no guide to money: spending is skewed, and a small holdout without its big spenders has a low mean
    and a low variance, so that with a tenth held out it finds two to ten times as many effects as it may. Without an
    effect both sides spend alike, so that their common variance holds, as it does in the score test of shares. A test
    that rejects only where both reject is valid where either is. Interval and p-value are of the same two tests.

    Several pairs are compared each by itself and averaged by their treated users: the effect on who was contacted.
    Degrees of freedom by Satterthwaite (1946), who also has Welch's case of one pair.
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
    return effect_of(treated_users, control_users, mean, control_mean, noises, level)


def effect_of(
    treated_users: int, control_users: int, treated: float, control: float, noises: Sequence[Noise], level: float
) -> Effect:
    """By two-sided t tests with the given noise, whichever finds least; no test without noise.

    The power is of finding it on its own side; what statsmodels adds for the other side is often not a number.
    """
    if not noises:
        return Effect(treated_users, control_users, treated, control)
    lift = treated - control
    margin = max(float(stats.t.isf(level / 2, noise.freedom)) * noise.error for noise in noises)
    p_value = max(2 * float(stats.t.sf(abs(lift) / noise.error, noise.freedom)) for noise in noises)
    return Effect(
        treated_users, control_users, treated, control, lift - margin, lift + margin, p_value,
        power=lambda difference, at: min(
            float(ttest_power(difference / noise.error, 1, at / 2, df=noise.freedom, alternative="larger"))
            for noise in noises
        ),
        unit=max(noise.error for noise in noises),
    )  # fmt: skip


def least_detectable(effect: Effect, level: float, power: float) -> float | None:
    """The smallest true difference above 0 that the test at `level` finds with probability `power`; None: there is none.

    Of shares from the control's rate and both sizes; of means from both sides' variances.
    """
    if effect.power is None or effect.largest <= 0:
        return None
    chance = effect.power
    reach = min(effect.unit, effect.largest)
    while chance(reach, level) < power and reach < min(effect.largest, FARTHEST * effect.unit):
        reach = min(2 * reach, effect.largest)
    if not chance(reach, level) >= power:  # also where the chance is not a number
        return None
    nearest = reach * 1e-9  # not 0, where a rate of 0 leaves no variance
    return float(optimize.brentq(lambda d: chance(d, level) - power, nearest, reach, xtol=1e-7 * reach))


def _share_p_value(converted: int, users: int, control_converted: int, control_users: int) -> float | None:
    pooled = (converted + control_converted) / (users + control_users)
    if pooled in (0.0, 1.0):
        return None
    if min(pooled, 1 - pooled) * min(users, control_users) < FEW_EXPECTED:
        table = [[converted, users - converted], [control_converted, control_users - control_converted]]
        return float(stats.fisher_exact(table).pvalue)
    return float(
        test_proportions_2indep(
            converted, users, control_converted, control_users, method="score", compare="diff", return_results=False
        )[1]
    )


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
    return _noise(
        (w * w * side.variance / side.users, side.users - 1)
        for w, pair in zip(weights, pairs, strict=True)
        for side in pair
    )


def _pooled(weights: Sequence[float], pairs: Sequence[tuple[Moments, Moments]]) -> Noise | None:
    parts = []
    for w, (one, other) in zip(weights, pairs, strict=True):
        freedom = one.users + other.users - 2
        variance = ((one.users - 1) * one.variance + (other.users - 1) * other.variance) / freedom
        parts.append((w * w * variance * (1 / one.users + 1 / other.users), freedom))
    return _noise(parts)


def _noise(parts: Iterable[tuple[float, float]]) -> Noise | None:
    """Of independent (variance of an estimate, degrees of freedom), added up."""
    parts = list(parts)
    total = sum(variance for variance, _ in parts)
    if not total > 0:
        return None
    return Noise(math.sqrt(total), total * total / sum(variance * variance / freedom for variance, freedom in parts))
