"""The effect of a campaign that nobody drew at random, from who was contacted and who was not. On the driver."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from pyspark.sql import DataFrame, Row

from segspark.campaigns.config import LiftConfig
from segspark.campaigns.evidence import ALL
from segspark.campaigns.lift.checks import check_row
from segspark.campaigns.lift.effects import INCONCLUSIVE, TOO_FEW, row_of
from segspark.campaigns.lift.family import stand
from segspark.campaigns.lift.propensity import fit_propensity, propensity_sample, with_weights
from segspark.campaigns.lift.weighting import (
    MEASURES,
    Weighted,
    balance_of,
    compare_weighted,
    side_of,
    weighted_sums,
)

WEIGHTING = "weighting"
LEAST_EFFECTIVE = 50.0  # users on a side, weighted, below which few of them carry the result
LEAST_OF_EACH = 5  # users on a side who did, and who did not: with fewer a share is not normal

Sides = dict[str, tuple[Weighted, Weighted]]  # treated and control by segment, `all` among them


@dataclass(frozen=True)
class Adjusted:
    """Rows of campaign_lift, campaign_checks and campaign_balance of one campaign."""

    lifts: list[dict[str, Any]]
    checks: list[dict[str, Any]]
    balance: list[dict[str, Any]]


def adjust_campaign(
    campaign_id: str,
    people: DataFrame,
    covariates: Sequence[str],
    config: LiftConfig,
    seed: int,
    known_days: int | None = None,
) -> Adjusted:
    """Weights the users without the campaign so that they are like those with it, and compares.

    `people` is one row per user: user_id, segment_name, treated, converted, revenue, active_days, and the covariates,
    numbers from before the campaign (a null counts as 0). `known_days` are the days of logs before it: with fewer than
    `before_days` nobody knows whether the sides are alike. `people` is read three times. Collects at most
    `adjust_users` users, then two rows per segment.
    """
    sample = propensity_sample(people, covariates, config.adjust_users, seed).toPandas()
    propensity = fit_propensity(sample, covariates)
    rows = weighted_sums(with_weights(people, propensity), covariates).collect()
    return judge_weighted(campaign_id, rows, covariates, config, known_days)


def judge_weighted(
    campaign_id: str,
    rows: Sequence[Row],
    covariates: Sequence[str],
    config: LiftConfig,
    known_days: int | None = None,
) -> Adjusted:
    """From the collected rows of `weighted_sums`. What weights cannot make alike is inconclusive."""
    segments = sorted({row["segment_name"] for row in rows if row["segment_name"] is not None})
    sides: Sides = {name: (side_of(rows, True, name), side_of(rows, False, name)) for name in segments}
    sides[ALL] = (side_of(rows, True), side_of(rows, False))
    balances = {name: balance_of(*pair, covariates) for name, pair in sides.items()}
    is_known = known_days is None or known_days >= config.before_days
    trusted = {name: is_known and _is_alike(*sides[name], balances[name], config) for name in sides}
    lifts = [row for measure in MEASURES for row in _lifts(measure, sides, trusted, config)]
    of_campaign = {"campaign_id": campaign_id}
    return Adjusted(
        [of_campaign | row for row in lifts],
        [*_checks(campaign_id, sides[ALL], balances, trusted, config), *_history(campaign_id, known_days, config)],
        [of_campaign | row for row in balances[ALL]],
    )


def newcomers_row(campaign_id: str, contacted: int, others: int) -> dict[str, Any]:
    """A row of campaign_checks that tells how many of each side are left out."""
    note = (
        f"{contacted} contacted users and {others} others are left out: nothing is known of them before their first day"
        " of the campaign, so that nobody can tell who is like them"
    )
    return check_row(campaign_id, "known before", None, contacted + others, None, note)


def unbalanced(balance: Sequence[dict[str, Any]], least_smd: float) -> list[str]:
    """The covariates in which the sides still differ after weighting."""
    return [row["covariate"] for row in balance if _differs(row, least_smd)]


def _differs(row: dict[str, Any], least_smd: float) -> bool:
    if row["smd_after"] is not None:
        return abs(row["smd_after"]) > least_smd
    return row["treated"] is not None and row["control"] is not None and row["treated"] != row["control"]


def _is_alike(treated: Weighted, control: Weighted, balance: Sequence[dict[str, Any]], config: LiftConfig) -> bool:
    is_enough = min(treated.effective, control.effective) >= LEAST_EFFECTIVE
    return bool(balance) and is_enough and not unbalanced(balance, config.least_smd)


def _is_counted(measure: str, sides: tuple[Weighted, Weighted]) -> bool:
    """Whether a share has enough users on both sides who did, and who did not."""
    did = [side.plain_mean(MEASURES[measure]) for side in sides]
    if measure != "conversion" or None in did:
        return True
    counts = [side.users * min(share or 0.0, 1 - (share or 0.0)) for side, share in zip(sides, did, strict=True)]
    return min(counts) >= LEAST_OF_EACH


def _lifts(measure: str, sides: Sides, trusted: dict[str, bool], config: LiftConfig) -> list[dict[str, Any]]:
    """All together and the segments are one family of tests."""
    effects = {name: compare_weighted(*pair, MEASURES[measure], config.level) for name, pair in sides.items()}
    segments = frozenset(sides) - {ALL}
    members = {name: segments if name == ALL else frozenset([name]) for name in sides}
    standings = stand({members[name]: effect.p_value for name, effect in effects.items()}, config.level)
    rows = []
    for name, effect in effects.items():
        row = row_of(effect, standings[members[name]], config.level, config.power)
        if not _is_counted(measure, sides[name]):
            row["verdict"] = TOO_FEW
        if not trusted[name] and row["verdict"] != TOO_FEW:
            row["verdict"] = INCONCLUSIVE
        rows.append({"segment_name": name, "action": ALL, "measure": measure, "method": WEIGHTING} | row)
    return rows


def _history(campaign_id: str, known_days: int | None, config: LiftConfig) -> list[dict[str, Any]]:
    """Whether the logs reach back far enough to tell what users did before."""
    if known_days is None:
        return []
    passed = known_days >= config.before_days
    told = f"logs begin {known_days} days before the campaign"
    note = (
        told if passed else f"{told}: nobody knows how alike the sides were, and the verdict is inconclusive for that"
    )
    return [check_row(campaign_id, "days before", passed, float(known_days), float(config.before_days), note)]


def _checks(
    campaign_id: str,
    sides: tuple[Weighted, Weighted],
    balances: dict[str, list[dict[str, Any]]],
    trusted: dict[str, bool],
    config: LiftConfig,
) -> list[dict[str, Any]]:
    left = unbalanced(balances[ALL], config.least_smd)
    differences = [abs(row["smd_after"]) for row in balances[ALL] if row["smd_after"] is not None]
    is_balanced = bool(balances[ALL]) and not left
    remaining = f"{', '.join(left)} remain unbalanced" if left else "none of those remains unbalanced"
    no_holdout = (
        "users without the campaign are no random holdout: somebody chose who gets it. Weights make them like the"
        " contacted in what is recorded from before the campaign, and only in that; what the choice knew beyond it"
        f" stays in the lift. Of {len(balances[ALL])} covariates {remaining}"
    )
    in_doubt = [name for name in trusted if name != ALL and not trusted[name]]
    verdicts = (
        "weighting balances the sides over all" if is_balanced else "the verdict over all is inconclusive for that"
    )
    segments = f"; not within {', '.join(in_doubt)}, whose verdicts are inconclusive" if in_doubt else ""
    treated, control = sides
    fewest = min(treated.effective, control.effective)
    is_enough = fewest >= LEAST_EFFECTIVE
    few = "" if is_enough else "; so few carry the result that the verdict is inconclusive"
    effective = (
        f"{control.users} users without the campaign tell as much as {control.effective:.0f} that are like the"
        f" {treated.users} with it"
    )
    largest = max(differences, default=None)
    return [
        check_row(campaign_id, "random holdout", False, None, None, no_holdout),
        check_row(campaign_id, "balance", is_balanced, largest, config.least_smd, f"{remaining}: {verdicts}{segments}"),
        check_row(campaign_id, "effective users", is_enough, fewest, LEAST_EFFECTIVE, effective + few),
    ]
