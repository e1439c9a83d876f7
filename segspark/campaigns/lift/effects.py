"""The effect of campaigns: rows of campaign_lift from added-up evidence, on the driver."""

from __future__ import annotations

import math
from collections.abc import Callable, Container, Mapping, Sequence
from typing import Any

from segspark.campaigns.config import LiftConfig
from segspark.campaigns.evidence import Evidence, Sums
from segspark.campaigns.lift.cuped import adjusted_moments
from segspark.campaigns.lift.effect import Effect
from segspark.campaigns.lift.family import Standing, stand
from segspark.campaigns.lift.groups import Group, cells_by_campaign, groups_of
from segspark.campaigns.lift.means import Moments, compare_means, moments, share_moments
from segspark.campaigns.lift.shares import compare_shares

HOLDOUT, STRATA = "holdout", "strata"
WORKS, HARMS, INCONCLUSIVE, TOO_FEW = "works", "harms", "inconclusive", "too few"
INFORMS = "informs"
UNJUDGED = ("rating",)  # of who rated: a contact that makes other users rate changes it, though nobody thinks otherwise


def measure_lifts(evidence: Sequence[Evidence], config: LiftConfig) -> list[dict[str, Any]]:
    """Rows of campaign_lift, without the bootstrap, in the order of their key but for the measures.

    For each campaign and measure: every segment and action, every segment over all actions, every action over all
    segments, and all. The rows of a measure are one family of tests (see `stand`); rows about the same users, as where
    there is one action only, count as one.
    """
    rows = []
    for campaign_id, cells in cells_by_campaign(evidence).items():
        groups = groups_of(cells)
        for measure, compare in MEASURES.items():
            effects = [compare(group, config.level) for group in groups]
            key = {"campaign_id": campaign_id, "measure": measure}
            rows += [_without_verdict(key | row) for row in _judge(groups, effects, config)]
    return rows


def hold_back(lifts: Sequence[Mapping[str, Any]], campaigns: Container[str]) -> list[dict[str, Any]]:
    """The rows of campaign_lift, inconclusive for these campaigns: those that did not keep their sample ratio, and
    those with windows still open.

    A test that is looked at in every run until then would find something in more campaigns than its level says.
    """
    withheld = (WORKS, HARMS)
    return [
        {**row, "verdict": INCONCLUSIVE} if row["campaign_id"] in campaigns and row["verdict"] in withheld else {**row}
        for row in lifts
    ]


def conversion(group: Group, level: float) -> Effect:
    """The share of users who ordered."""
    if len(group.pairs) > 1:
        return _of_means(group, lambda side: share_moments(side.users, side.converted), level)
    pair = group.pairs[0]
    return compare_shares(pair.treated.converted, pair.treated.users, pair.control.converted, pair.control.users, level)


def revenue(group: Group, level: float) -> Effect:
    """What a user paid."""
    return _of_means(group, lambda side: moments(side.users, side.revenue, side.revenue_squares), level, grows=True)


def revenue_cuped(group: Group, level: float) -> Effect:
    """The same, narrowed by what they paid before."""
    return compare_means(adjusted_moments(group.pairs), level, grows=True)


def active_days(group: Group, level: float) -> Effect:
    """Days on which a user did anything."""
    return _of_means(group, lambda side: moments(side.users, side.active_days, side.active_squares), level, grows=True)


def rating(group: Group, level: float) -> Effect:
    """The mean rating of a user, over users who rated: no effect of the contact alone, so it only informs."""
    return _of_means(group, lambda side: moments(side.raters, side.rating, side.rating_squares), level)


MEASURES: Mapping[str, Callable[[Group, float], Effect]] = {
    "conversion": conversion,
    "revenue": revenue,
    "revenue_cuped": revenue_cuped,
    "active_days": active_days,
    "rating": rating,
}


def verdict_of(effect: Effect, p_adjusted: float | None, level: float) -> str:
    """works or harms where the test after its adjustment and the interval both say so."""
    if p_adjusted is None or effect.low is None or effect.high is None:
        return TOO_FEW
    if p_adjusted < level and effect.low > 0:
        return WORKS
    if p_adjusted < level and effect.high < 0:
        return HARMS
    return INCONCLUSIVE


def row_of(effect: Effect, standing: Standing, level: float, power: float) -> dict[str, Any]:
    """The columns of campaign_lift that an effect and its standing fill."""
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
        "p_adjusted": _number(standing.p_adjusted),
        "least_detectable": _number(effect.least_detectable(standing.level, power)),
        "verdict": verdict_of(effect, standing.p_adjusted, level),
    }


def _without_verdict(row: dict[str, Any]) -> dict[str, Any]:
    """The row; of a measure that only informs without works and harms."""
    is_judged = row["measure"] not in UNJUDGED or row["verdict"] == TOO_FEW
    return row if is_judged else row | {"verdict": INFORMS}


def _judge(groups: Sequence[Group], effects: Sequence[Effect], config: LiftConfig) -> list[dict[str, Any]]:
    p_values = {group.cells: effect.p_value for group, effect in zip(groups, effects, strict=True)}
    standings = stand(p_values, config.level)
    rows = []
    for group, effect in zip(groups, effects, strict=True):
        key = {"segment_name": group.segment_name, "action": group.action}
        method = STRATA if len(group.pairs) > 1 else HOLDOUT
        rows.append(key | {"method": method} | row_of(effect, standings[group.cells], config.level, config.power))
    return rows


def _of_means(group: Group, side_moments: Callable[[Sums], Moments], level: float, *, grows: bool = False) -> Effect:
    pairs = [(side_moments(pair.treated), side_moments(pair.control)) for pair in group.pairs]
    return compare_means(pairs, level, grows=grows)


def _number(value: float | None) -> float | None:
    """None for what is not a number: a row holds no NaN."""
    return value if value is not None and math.isfinite(value) else None
