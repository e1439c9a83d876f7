"""A strategy: per segment its actions, what is believed of each, and the share of contacts each should get."""

import hashlib
from collections.abc import Sequence as Several
from dataclasses import dataclass
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray
from scipy.special import betaincinv, ndtri

from segspark.campaigns.catalogue import NO_ACTION
from segspark.campaigns.learning.posteriors import Effect, Posterior
from segspark.campaigns.learning.sequence import Sequence
from segspark.campaigns.learning.verdicts import Status

Numbers = NDArray[np.float64]

Objective = Literal["conversions", "revenue"]


@dataclass(frozen=True)
class Arm:
    """One action of a segment."""

    action: str
    posterior: Posterior
    none: Posterior  # of its own held out, whom its effect is told by
    status: Status
    sequence: Sequence | None  # of what the objective counts: conversions or revenue
    lift: Sequence | None  # of conversions
    gain: float  # expected money per contact above no contact, after its cost
    share: float
    previous_share: float | None
    reason: str

    @property
    def effect(self) -> Effect:
        """What the two sides tell."""
        return Effect(self.posterior, self.none)


@dataclass(frozen=True)
class SegmentStrategy:
    """What one segment gets."""

    segment_name: str
    none: Posterior  # of no contact: of the held out of all actions
    none_reason: str
    arms: tuple[Arm, ...]

    @property
    def live(self) -> tuple[Arm, ...]:
        """The actions that are not stopped. None: the segment is not contacted."""
        return tuple(arm for arm in self.arms if arm.status != "stopped")


@dataclass(frozen=True)
class Strategy:
    """The whole: equal evidence, configuration and seed give an equal one."""

    segments: tuple[SegmentStrategy, ...]
    objective: Objective
    seed: int

    def draw(self, draws: int) -> dict[str, Numbers]:
        """Per segment an array [draws, its actions] of what a contact adds above no contact: to the conversion rate, or
        where the objective is revenue to the money per user."""
        drawn = {}
        for one in self.segments:
            effects = [(arm.action, arm.effect) for arm in one.arms]
            drawn[one.segment_name] = uplift_draws(one.segment_name, effects, self.objective, draws, self.seed)
        return drawn


def uplift_draws(
    segment: str, effects: Several[tuple[str, Effect]], objective: Objective, draws: int, seed: int
) -> Numbers:
    """An array [draws, actions] from the posteriors: each action's contacted less its own held out.

    Each column hangs on the seed, the segment and the action only: another segment or action changes none of them. The
    posteriors' quantile functions are put to uniform numbers, so near posteriors give near draws.
    """

    def draw(posterior: Posterior, *stream: str) -> Numbers:
        uniform = _uniform(draws, str(seed), segment, *stream)
        if objective == "revenue":
            return np.asarray(posterior.revenue_mean + posterior.revenue_sd * ndtri(uniform), dtype=np.float64)
        return np.asarray(betaincinv(posterior.alpha, posterior.beta, uniform), dtype=np.float64)

    columns = [draw(effect.contacted, action) - draw(effect.none, action, NO_ACTION) for action, effect in effects]
    return np.stack(columns, axis=1) if columns else np.empty((draws, 0))


def strategy_rows(strategy: Strategy, scheme: str) -> list[dict[str, Any]]:
    """The rows of the table strategies, without run_id: a baseline row `none` per segment and one per action.

    The shares of a segment add up to 1; where every action is stopped, no contact has it all.
    """
    rows = []
    for one in strategy.segments:
        head = {"scheme": scheme, "segment_name": one.segment_name}
        rows.append(head | _none_row(one))
        rows.extend(head | _arm_row(arm) for arm in one.arms)
    return rows


def _none_row(one: SegmentStrategy) -> dict[str, Any]:
    share = 0.0 if one.live else 1.0
    lift = {"lift": None, "lift_low": None, "lift_high": None, "gain": 0.0}
    told = {"share": share, "previous_share": None, "status": "baseline", "reason": one.none_reason}
    return {"action": NO_ACTION} | vars(one.none) | lift | told


def _arm_row(arm: Arm) -> dict[str, Any]:
    lift = arm.lift
    return (
        {"action": arm.action}
        | vars(arm.posterior)
        | {
            "lift": lift.lift if lift else None,
            "lift_low": lift.low if lift else None,
            "lift_high": lift.high if lift else None,
            "gain": arm.gain,
            "share": arm.share,
            "previous_share": arm.previous_share,
            "status": arm.status,
            "reason": arm.reason,
        }
    )


def _uniform(draws: int, *stream: str) -> Numbers:
    """Strictly between 0 and 1."""
    digest = hashlib.sha256("\x1f".join(stream).encode()).digest()
    generator = np.random.Generator(np.random.PCG64(int.from_bytes(digest[:16], "big")))
    return np.clip(generator.random(draws), 1e-12, 1 - 1e-12)
