"""Two shares of users compared."""

from __future__ import annotations

from functools import partial

from scipy import optimize, stats
from statsmodels.stats.proportion import (
    confint_proportions_2indep,
    power_proportions_2indep,
    score_test_proportions_2indep,
)

from segspark.campaigns.lift.effect import Effect

FEW_EXPECTED = 5.0  # users expected in a cell of the table, below which the score test is no guide (Cochran 1954)


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
    find = partial(_least_detectable, control_rate, users, control_users)
    return Effect(users, control_users, rate, control_rate, float(low), float(high), _p_value(*counts), find)


def _least_detectable(control_rate: float, users: int, control_users: int, level: float, power: float) -> float | None:
    """By the normal approximation of the score test, if the others would do as the control does."""

    def surplus(difference: float) -> float:
        ratio = control_users / users
        return (
            float(power_proportions_2indep(difference, control_rate, users, ratio, level, return_results=False)) - power
        )

    room = 1.0 - control_rate
    nearest, farthest = room * 1e-9, room * (1 - 1e-9)  # at either end nothing may vary
    if room <= 0 or surplus(farthest) < 0:
        return None
    return float(optimize.brentq(surplus, nearest, farthest, xtol=1e-9))


def _p_value(converted: int, users: int, control_converted: int, control_users: int) -> float | None:
    pooled = (converted + control_converted) / (users + control_users)
    if pooled in (0.0, 1.0):
        return None
    if min(pooled, 1 - pooled) * min(users, control_users) < FEW_EXPECTED:
        table = [[converted, users - converted], [control_converted, control_users - control_converted]]
        return float(stats.fisher_exact(table).pvalue)
    tested = score_test_proportions_2indep(
        converted, users, control_converted, control_users, compare="diff", return_results=False
    )
    return float(tested[1])
