"""The effect of campaigns: rows of campaign_lift from added-up evidence, on the driver."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from statsmodels.stats.multitest import multipletests

from segspark.campaigns.config import LiftConfig
from segspark.campaigns.evidence import Evidence, Sums
from segspark.campaigns.lift.cuped import adjusted_moments
from segspark.campaigns.lift.effect import Effect
from segspark.campaigns.lift.groups import Group, cells_by_campaign, groups_of
from segspark.campaigns.lift.means import Moments, compare_means, moments, share_moments
from segspark.campaigns.lift.shares import compare_shares

HOLDOUT, STRATA = "holdout", "strata"
WORKS, HARMS, INCONCLUSIVE, TOO_FEW = "works", "harms", "inconclusive", "too few"


def measure_lifts(evidence: Sequence[Evidence], config: LiftConfig) -> list[dict[str, Any]]:
    """Rows of campaign_lift, without the bootstrap, in the order of their key but for the measures.

    For each campaign and measure: every segment and action, every segment over all actions, every action over all
    segments, and all. The segments and actions of a measure are one family of tests (Holm 1979); rows over all of
    something answer one question each, and their p-value stays as it is.
    """
    rows = []
    for campaign_id, cells in cells_by_campaign(evidence).items():
        groups = groups_of(cells)
        for measure, compare in MEASURES.items():
            effects = [compare(group, config.level) for group in groups]
            rows += [{"campaign_id": campaign_id, "measure": measure} | row for row in _judge(groups, effects, config)]
    return rows


def conversion(group: Group, level: float) -> Effect:
    """The share of users who ordered."""
    if len(group.pairs) > 1:
        return _of_means(group, lambda side: share_moments(side.users, side.converted), level)
    pair = group.pairs[0]
    return compare_shares(pair.treated.converted, pair.treated.users, pair.control.converted, pair.control.users, level)


def revenue(group: Group, level: float) -> Effect:
    """What a user paid."""
    return _of_means(group, lambda side: moments(side.users, side.revenue, side.revenue_squares), level)


def revenue_cuped(group: Group, level: float) -> Effect:
    """The same, narrowed by what they paid before."""
    return compare_means(adjusted_moments(group.pairs), level)


def active_days(group: Group, level: float) -> Effect:
    """Days on which a user did anything."""
    return _of_means(group, lambda side: moments(side.users, side.active_days, side.active_squares), level)


def rating(group: Group, level: float) -> Effect:
    """The mean rating of a user, over users who rated."""
    return _of_means(group, lambda side: moments(side.raters, side.rating, side.rating_squares), level)


MEASURES: Mapping[str, Callable[[Group, float], Effect]] = {
    "conversion": conversion,
    "revenue": revenue,
    "revenue_cuped": revenue_cuped,
    "active_days": active_days,
    "rating": rating,
}


def adjust_family(p_values: Sequence[float | None], level: float) -> list[float | None]:
    """Holm's adjustment of those that are there."""
    told = [p_value for p_value in p_values if p_value is not None]
    adjusted = iter(multipletests(told, alpha=level, method="holm")[1] if told else ())
    return [None if p_value is None else float(next(adjusted)) for p_value in p_values]


def verdict_of(effect: Effect, p_adjusted: float | None, level: float) -> str:
    """works or harms where the test after its adjustment and the interval both say so."""
    if p_adjusted is None or effect.low is None or effect.high is None:
        return TOO_FEW
    if p_adjusted < level and effect.low > 0:
        return WORKS
    if p_adjusted < level and effect.high < 0:
        return HARMS
    return INCONCLUSIVE


def row_of(effect: Effect, p_adjusted: float | None, level: float, power: float, tests: int = 1) -> dict[str, Any]:
    """The columns of campaign_lift that an effect fills.

    `tests` is the size of the family: Holm's first step, which a single true effect has to pass, tests at level /
    tests, and so least_detectable is stated at that.
    """
    return {
        "treated_users": effect.treated_users,
        "control_users": effect.control_users,
        "treated": _number(effect.treated),
        "control": _number(effect.control),
        "lift": _number(effect.lift),
        "lift_low": _number(effect.low),
        "lift_high": _number(effect.high),
        "bootstrap_low": None,
        "bootstrap_high": None,
        "p_value": _number(effect.p_value),
        "p_adjusted": _number(p_adjusted),
        "least_detectable": _number(effect.least_detectable(level / tests, power)),
        "verdict": verdict_of(effect, p_adjusted, level),
    }


def _judge(groups: Sequence[Group], effects: Sequence[Effect], config: LiftConfig) -> list[dict[str, Any]]:
    in_family = [effect.p_value if group.is_cell else None for group, effect in zip(groups, effects, strict=True)]
    tests = max(1, sum(p_value is not None for p_value in in_family))
    rows = []
    adjusted = adjust_family(in_family, config.level)
    for group, effect, in_cells in zip(groups, effects, adjusted, strict=True):
        key = {"segment_name": group.segment_name, "action": group.action}
        method = STRATA if len(group.pairs) > 1 else HOLDOUT
        p_adjusted, among = (in_cells, tests) if group.is_cell else (effect.p_value, 1)
        rows.append(key | {"method": method} | row_of(effect, p_adjusted, config.level, config.power, among))
    return rows


def _of_means(group: Group, side_moments: Callable[[Sums], Moments], level: float) -> Effect:
    return compare_means([(side_moments(pair.treated), side_moments(pair.control)) for pair in group.pairs], level)


def _number(value: float | None) -> float | None:
    """None for what is not a number: a row holds no NaN."""
    return value if value is not None and math.isfinite(value) else None
