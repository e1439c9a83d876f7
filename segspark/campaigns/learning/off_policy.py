"""What another policy would have earned with the contacts that were logged, by their logged propensities.

Estimators of the value per contact, with w = target / propensity of a contact's action, r its reward and q the reward
that a model expects:

- mean: of r; what the logged policy earned
- ips: mean of w r (Horvitz and Thompson 1952)
- snips: sum of w r / sum of w (self-normalised; Swaminathan and Joachims 2015)
- doubly_robust: mean of m + w (r - q), m being the model's value of the policy in the segment (Dudik, Langford and Li
  2011): right where the propensities are, or the model is; narrower the better the model

A contact's propensity is among the actions that its user could get. So is its target: the share of its action by the
shares of all these. One aggregation of the log, a row per campaign, segment, action and set of allowed actions, serves
any policy: `log_sums` on the cluster, `values_of` on the driver. Contacts without a propensity, or of which nobody
knows what was allowed, are left out and counted. So are those whose user could get no action with a share: a policy
that does not contact them earns nothing per contact. Intervals are normal, by the estimate's own variance; a user
contacted twice counts as two.

ips and snips know nothing of an action that was never logged in its segment: `unseen` tells its share.
"""

import math
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, fields
from decimal import Decimal
from typing import Any, Literal

from pyspark.sql import Column, DataFrame, Row
from pyspark.sql import functions as F
from scipy.stats import norm

from segspark.campaigns.learning.strategy import Strategy

INTERVAL = 0.95
EXACT = "decimal(28,9)"  # sums of decimals do not hang on the order of the rows

Cell = tuple[str, str]  # segment, action
Allowed = tuple[str, tuple[str, ...]]  # segment, and the actions that a user could get
Estimator = Literal["mean", "ips", "snips", "doubly_robust"]


@dataclass(frozen=True)
class LogSums:
    """Contacts of one segment and action whose users could get the same actions; of those that have a propensity p what
    they earned, r."""

    segment_name: str
    action: str
    allowed: tuple[str, ...] | None  # sorted; null where nobody knows, and then all are left out
    left_out: int  # contacts without a propensity, or without the action among the allowed
    contacts: int
    reward: float  # sum of r
    reward_2: float  # of r^2
    inverse: float  # of 1 / p
    inverse_2: float  # of 1 / p^2
    reward_inverse: float  # of r / p
    reward_inverse_2: float  # of r / p^2
    reward_2_inverse_2: float  # of r^2 / p^2


@dataclass(frozen=True)
class Value:
    """One estimate, per contact."""

    policy: str
    estimator: Estimator
    value: float
    low: float
    high: float
    contacts: int
    effective_contacts: float
    left_out: int  # contacts without a propensity or a known choice, or whose users the policy does not contact
    unseen: float  # mean target of actions that were never logged in their segment


def log_sums(responses: DataFrame, reward: str) -> DataFrame:
    """One row per campaign, segment, action and allowed actions with the fields of `LogSums`. `responses` are those of
    evidence.py; who was held out is no contact. `reward` is a column: revenue, or converted."""
    r, weight = F.coalesce(F.col(reward).cast("double"), F.lit(0.0)), 1 / F.col("propensity")
    is_among = F.coalesce(F.array_contains("allowed", F.col("action")), F.lit(False))
    is_known = F.col("propensity").isNotNull() & is_among

    def total(value: Column) -> Column:
        return F.coalesce(F.sum(F.when(is_known, value).cast(EXACT)), F.lit(Decimal(0)))

    return (
        responses.where("treated")
        .groupBy("campaign_id", "segment_name", "action", "allowed")
        .agg(
            F.count_if(~is_known).alias("left_out"),
            F.count_if(is_known).alias("contacts"),
            total(r).alias("reward"),
            total(r * r).alias("reward_2"),
            total(weight).alias("inverse"),
            total(weight * weight).alias("inverse_2"),
            total(r * weight).alias("reward_inverse"),
            total(r * weight * weight).alias("reward_inverse_2"),
            total(r * r * weight * weight).alias("reward_2_inverse_2"),
        )
    )


def log_sums_of(row: Row | Mapping[str, Any]) -> LogSums:
    """A row of `log_sums` or of campaign_rewards, collected."""
    names = (field.name for field in fields(LogSums))
    values: dict[str, Any] = {name: float(row[name]) if isinstance(row[name], Decimal) else row[name] for name in names}
    allowed = row["allowed"]
    return LogSums(**values | {"allowed": None if allowed is None else tuple(allowed)})


def reward_rows(log: Iterable[tuple[str, LogSums]], scheme: str) -> list[dict[str, Any]]:
    """Rows of campaign_rewards: of each campaign its sums."""
    return [{"scheme": scheme, "campaign_id": campaign_id} | vars(sums) for campaign_id, sums in log]


def shares_of(strategy: Strategy) -> dict[Cell, float]:
    """The policy that a strategy is."""
    return {(one.segment_name, arm.action): arm.share for one in strategy.segments for arm in one.arms}


def rewards_of(strategy: Strategy) -> dict[Cell, float]:
    """The reward model: what the posteriors expect of each contact."""
    by_money = strategy.objective == "revenue"
    return {
        (one.segment_name, arm.action): arm.posterior.revenue_mean if by_money else arm.posterior.rate
        for one in strategy.segments
        for arm in one.arms
    }


def values_of(log: Iterable[LogSums], shares: Mapping[Cell, float], rewards: Mapping[Cell, float]) -> list[Value]:
    """What the logged contacts earned, and three estimates of what the policy `next` would have with them.

    `shares` is the policy's probability of each action in a segment, `rewards` the model's reward, zero where it has
    none. Nothing where no contact can be used.
    """
    ordered = sorted(log, key=lambda sums: (sums.segment_name, sums.action, sums.allowed or ()))
    targets = _targets(ordered, shares)
    used = [_Used(sums, targets[key], rewards) for sums in ordered if (key := _key(sums)) in targets and sums.contacts]
    contacts = sum(one.sums.contacts for one in used)
    if not contacts:
        return []
    left_out = sum(sums.left_out + sums.contacts for sums in ordered) - contacts
    unseen = _unseen(used, contacts)
    estimates: dict[Estimator, tuple[float, float]] = {
        "mean": _mean(contacts, [(one.sums.reward, one.sums.reward_2) for one in used]),
        "ips": _mean(contacts, [_weighted(one) for one in used]),
        "snips": _self_normalised(used),
        "doubly_robust": _mean(contacts, [_robust(one) for one in used]),
    }
    effective = _effective(used)
    made = []
    for estimator, (value, error) in estimates.items():
        is_logged = estimator == "mean"
        half = float(norm.ppf((1 + INTERVAL) / 2)) * error
        head = ("logged" if is_logged else "next"), estimator, value, value - half, value + half, contacts
        made.append(Value(*head, float(contacts) if is_logged else effective, left_out, 0.0 if is_logged else unseen))
    return made


def value_rows(values: Iterable[Value], scheme: str) -> list[dict[str, Any]]:
    """The rows of the table strategy_values, without run_id."""
    names = ("policy", "estimator", "value", "low", "high", "contacts", "effective_contacts", "left_out", "unseen")
    return [{"scheme": scheme} | {name: getattr(one, name) for name in names} for one in values]


@dataclass(frozen=True)
class _Used:
    """Sums that count, with what the policy does where their actions are allowed."""

    sums: LogSums
    target: Mapping[str, float]  # by action
    rewards: Mapping[Cell, float]

    @property
    def share(self) -> float:
        return self.target[self.sums.action]

    def expected(self, action: str) -> float:
        """By the model."""
        return self.rewards.get((self.sums.segment_name, action), 0.0)


def _key(sums: LogSums) -> Allowed:
    return sums.segment_name, sums.allowed or ()


def _targets(log: Iterable[LogSums], shares: Mapping[Cell, float]) -> dict[Allowed, dict[str, float]]:
    """What the policy does where only these actions are allowed: its shares of them, by their sum. None without any."""
    targets = {}
    for key in {_key(sums) for sums in log}:
        own = {action: shares.get((key[0], action), 0.0) for action in key[1]}
        total = math.fsum(own.values())
        if total > 0:
            targets[key] = {action: share / total for action, share in own.items()}
    return targets


def _mean(contacts: int, terms: list[tuple[float, float]]) -> tuple[float, float]:
    """Mean and its standard error, from sums and sums of squares."""
    total, squares = (math.fsum(column) for column in zip(*terms, strict=True))
    mean = total / contacts
    variance = max(squares / contacts - mean * mean, 0.0) * contacts / max(contacts - 1, 1)
    return mean, math.sqrt(variance / contacts)


def _weighted(one: _Used) -> tuple[float, float]:
    return one.share * one.sums.reward_inverse, one.share**2 * one.sums.reward_2_inverse_2


def _robust(one: _Used) -> tuple[float, float]:
    """Sum and sum of squares of m + w (r - q), multiplied out."""
    sums, share, q = one.sums, one.share, one.expected(one.sums.action)
    m = math.fsum(target * one.expected(action) for action, target in one.target.items())
    residual = share * (sums.reward_inverse - q * sums.inverse)
    spread = sums.reward_2_inverse_2 - 2 * q * sums.reward_inverse_2 + q * q * sums.inverse_2
    return sums.contacts * m + residual, sums.contacts * m * m + 2 * m * residual + share * share * spread


def _self_normalised(used: list[_Used]) -> tuple[float, float]:
    """The error by the delta method: sqrt of the sum of w^2 (r - value)^2, by the sum of w."""
    weight = _over(used, lambda sums: sums.inverse, 1)
    if weight <= 0:
        return 0.0, 0.0
    value = _over(used, lambda sums: sums.reward_inverse, 1) / weight
    spread = _over(
        used, lambda s: s.reward_2_inverse_2 - 2 * value * s.reward_inverse_2 + value * value * s.inverse_2, 2
    )
    return value, math.sqrt(max(spread, 0.0)) / weight


def _over(used: list[_Used], term: Callable[[LogSums], float], power: int) -> float:
    return math.fsum(one.share**power * term(one.sums) for one in used)


def _effective(used: list[_Used]) -> float:
    """Kish's (sum of weights)^2 / sum of squared weights."""
    squares = _over(used, lambda sums: sums.inverse_2, 2)
    return _over(used, lambda sums: sums.inverse, 1) ** 2 / squares if squares > 0 else 0.0


def _unseen(used: list[_Used], contacts: int) -> float:
    logged = {(one.sums.segment_name, one.sums.action) for one in used}
    missing = (
        one.sums.contacts * target
        for one in used
        for action, target in one.target.items()
        if (one.sums.segment_name, action) not in logged
    )
    return math.fsum(missing) / contacts
