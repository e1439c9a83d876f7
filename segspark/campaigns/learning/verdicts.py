"""What the evidence says of each action of a segment: scaled, stopped, or neither yet.

- An action whose lift lies wholly below zero is stopped.
- One whose lift lies wholly above zero, and which brings more than it costs, is scaled.
- Once an action is scaled, the others get few contacts, and to prove the harm of one among them would take years. So
  one is stopped, too, whose lift lies wholly below that of the scaled action and whose plain interval, that of a single
  look, lies below zero: that it is worse than what is done instead is proven, that it harms is likely.

Lifts are those of learning/sequence.py, so these verdicts hold however often they are asked for.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal

from segspark.campaigns.config import LearningConfig
from segspark.campaigns.evidence import Evidence
from segspark.campaigns.learning.sequence import Sequence, contrast_sequence, lift_sequence

Status = Literal["untried", "exploring", "scaled", "stopped"]


@dataclass(frozen=True)
class Verdict:
    """Of one action."""

    status: Status
    lift: Sequence | None  # of what the objective counts
    better: str | None = None  # the scaled action that it is stopped for
    behind: Sequence | None = None  # its lift less that of `better`


def verdicts(
    evidence: Mapping[str, list[Evidence]], gains: Mapping[str, float], config: LearningConfig
) -> dict[str, Verdict]:
    """One verdict per action of a segment, by the action's evidence and its expected gain after its cost."""
    lifts = {action: lift_sequence(rows, config) for action, rows in evidence.items()}
    first = {action: _alone(evidence[action], lifts[action], gains[action]) for action in evidence}
    scaled = [action for action, verdict in first.items() if verdict.status == "scaled"]
    if not scaled:
        return first
    best = max(scaled, key=lambda action: (gains[action], action))
    return {action: _beside(verdict, action, best, evidence, config) for action, verdict in first.items()}


def _alone(rows: list[Evidence], lift: Sequence | None, gain: float) -> Verdict:
    if lift is not None and lift.is_below_zero:
        return Verdict("stopped", lift)
    if lift is not None and lift.is_above_zero and gain > 0:
        return Verdict("scaled", lift)
    is_tried = any(row.treated and row.sums.users for row in rows)
    return Verdict("exploring" if is_tried else "untried", lift)


def _beside(
    verdict: Verdict, action: str, best: str, evidence: Mapping[str, list[Evidence]], config: LearningConfig
) -> Verdict:
    if verdict.status != "exploring" or verdict.lift is None or verdict.lift.plain(config.level)[1] >= 0:
        return verdict
    behind = contrast_sequence(evidence[action], evidence[best], config)
    if behind is None or not behind.is_below_zero:
        return verdict
    return Verdict("stopped", verdict.lift, best, behind)
