"""The next strategy: Thompson sampling (Thompson 1933) that gives no action more than an even share without proof.

What is proven, learning/verdicts.py says.

- A stopped action has no share, and is out of the next plan.
- While nothing is scaled, the others have even shares.
- Then one that is not scaled has its probability to be the best, but at least the exploration floor and at most an even
  share; scaled actions share what is left by their probabilities to be the best, each at least the floor.

The probability to be the best is over draws of what each action adds to its own held out, less what it costs.
"""

from collections.abc import Iterable, Mapping
from collections.abc import Sequence as Several
from dataclasses import dataclass
from datetime import date

import numpy as np

from segspark.campaigns.config import LearningConfig
from segspark.campaigns.evidence import Evidence
from segspark.campaigns.learning.posteriors import known_at, posteriors
from segspark.campaigns.learning.reasons import Told, reason_of, reason_of_none
from segspark.campaigns.learning.sequence import conversion_sequence
from segspark.campaigns.learning.strategy import Arm, SegmentStrategy, Strategy, uplift_draws
from segspark.campaigns.learning.verdicts import Status, verdicts


@dataclass(frozen=True)
class Money:
    """What decides between actions beside their effect."""

    costs: Mapping[str, float]  # per contact, by action; an action without one costs nothing
    worth: Mapping[str, float]  # of a conversion, by segment; a segment without one counts conversions


@dataclass(frozen=True)
class Setting:
    """What is the same for all segments."""

    money: Money
    config: LearningConfig
    as_of: date
    seed: int


def next_strategy(
    evidence: Iterable[Evidence],
    segments: Mapping[str, Several[str]],
    previous: Mapping[str, Mapping[str, float]],
    money: Money,
    config: LearningConfig,
    as_of: date,
    seed: int,
) -> Strategy:
    """The strategy that follows from all campaigns so far.

    `segments` names the actions that each segment may get, `previous` the shares of the strategy in force, by segment
    and action. Evidence that begins at or after `as_of` is not looked at. On the driver: some hundred rows.
    """
    rows: dict[str, list[Evidence]] = {name: [] for name in segments}
    for row in known_at(evidence, as_of):
        if row.segment_name in rows:
            rows[row.segment_name].append(row)
    setting = Setting(money, config, as_of, seed)
    made = [_segment(name, segments[name], rows[name], previous.get(name, {}), setting) for name in sorted(segments)]
    return Strategy(tuple(made), config.objective, seed)


def allot(statuses: Mapping[str, Status], best: Mapping[str, float], floor: float) -> dict[str, float]:
    """The share of each action: 0 of the stopped, 1 over the others. `best` is the probability to be the best."""
    live = [action for action, status in statuses.items() if status != "stopped"]
    scaled = [action for action in live if statuses[action] == "scaled"]
    shares = dict.fromkeys(statuses, 0.0)
    if not live:
        return shares
    even = 1 / len(live)
    floor = min(floor, even)
    if not scaled:
        return shares | dict.fromkeys(live, even)
    for action in live:
        shares[action] = floor if action in scaled else min(max(best[action], floor), even)
    rest = 1 - sum(shares.values())
    total = sum(best[action] for action in scaled)
    for action in scaled:
        shares[action] += rest * (best[action] / total if total > 0 else 1 / len(scaled))
    return shares


def _segment(
    name: str, actions: Several[str], rows: list[Evidence], previous: Mapping[str, float], setting: Setting
) -> SegmentStrategy:
    config, worth = setting.config, setting.money.worth.get(name, 1.0)
    believed = posteriors(rows, actions, worth, config, setting.as_of)
    effects = believed.actions
    own = {action: [row for row in rows if row.action == action] for action in actions}
    costs = {action: setting.money.costs.get(action, 0.0) for action in actions}
    by_revenue = config.objective == "revenue"
    value = 1.0 if by_revenue else worth  # of one unit of uplift
    gains = {action: value * effects[action].uplift(by_revenue) - costs[action] for action in actions}
    judged = verdicts(own, gains, config)
    statuses = {action: judged[action].status for action in actions}
    drawn = uplift_draws(name, list(effects.items()), config.objective, config.draws, setting.seed)
    best = _best(drawn * value - np.array([costs[action] for action in actions]), statuses)
    shares = allot(statuses, best, config.exploration_floor)
    live = sum(status != "stopped" for status in statuses.values())
    arms = [
        Arm(
            action=action,
            posterior=effects[action].contacted,
            none=effects[action].none,
            status=statuses[action],
            sequence=judged[action].lift,
            lift=conversion_sequence(own[action], config),
            gain=gains[action],
            share=shares[action],
            previous_share=previous.get(action),
            reason=reason_of(
                Told(judged[action], gains[action], shares[action], previous.get(action), best[action], live), config
            ),
        )
        for action in actions
    ]
    return SegmentStrategy(name, believed.none, reason_of_none(believed.none, live > 0), tuple(arms))


def _best(gains: np.ndarray, statuses: Mapping[str, Status]) -> dict[str, float]:
    """The share of draws [draws, actions] in which each action gains most of those that are not stopped."""
    live = np.array([status != "stopped" for status in statuses.values()], dtype=bool)
    if not live.any():
        return dict.fromkeys(statuses, 0.0)
    first = np.argmax(np.where(live, gains, -np.inf), axis=1)
    counts = np.bincount(first, minlength=len(statuses)) / len(gains)
    return dict(zip(statuses, counts.tolist(), strict=True))
