"""Lloyd's alternation (Lloyd 1982) for any distance that has a best centre: nearest centre, best centre, and again."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from segspark.segments.geometry import Measure

if TYPE_CHECKING:
    from segspark.segments.config import SchemeConfig


@dataclass(frozen=True)
class Alternation:
    """A distance, and the centre that makes its sum over some points least."""

    distances: Measure
    centre: Callable[[np.ndarray], np.ndarray]  # points x features -> features


def best_centres(points: np.ndarray, k: int, step: Alternation, config: SchemeConfig, seed: int) -> np.ndarray:
    """The cheapest of `config.starts` starts: k centres, a row each."""
    random = np.random.default_rng(seed)
    ends = [descend(points, start_of(points, k, step, config, random), step, config) for _ in range(config.starts)]
    costs = [cost_of(points, centres, step) for centres in ends]
    return ends[int(np.argmin(costs))]


def descend(points: np.ndarray, centres: np.ndarray, step: Alternation, config: SchemeConfig) -> np.ndarray:
    """Alternates until no centre moves farther than `config.tolerance`, `config.max_iter` times at most.

    The cost never rises: each half of a step makes it least, the other half held.
    """
    for _ in range(config.max_iter):
        moved = one_step(points, centres, step)
        farthest = np.sqrt(((moved - centres) ** 2).sum(axis=1)).max()
        centres = moved
        if farthest <= config.tolerance:
            break
    return centres


def one_step(points: np.ndarray, centres: np.ndarray, step: Alternation) -> np.ndarray:
    """The best centres of the points nearest to each; one that has none moves to the point that costs most."""
    distances = step.distances(points, centres)
    label, cost = distances.argmin(axis=0), distances.min(axis=0)
    moved = np.empty_like(centres)
    for number in range(len(centres)):
        own = points[label == number]
        if len(own):
            moved[number] = step.centre(own)
        else:
            dearest = int(cost.argmax())
            moved[number], cost[dearest] = points[dearest], 0.0
    return moved


def start_of(
    points: np.ndarray, k: int, step: Alternation, config: SchemeConfig, random: np.random.Generator
) -> np.ndarray:
    """k of the points: all as likely, or each as likely as what it costs under those before (as k-means++).

    Of the second kind see Arthur and Vassilvitskii 2007.
    """
    if config.start == "random":
        distinct = np.unique(points, axis=0)
        return distinct[random.choice(len(distinct), size=k, replace=False)].astype(np.float64)
    chosen = [points[random.integers(len(points))]]
    cost = step.distances(points, np.array(chosen))[0]
    while len(chosen) < k:
        total = cost.sum()
        share = cost / total if total > 0 else np.full(len(points), 1.0 / len(points))
        chosen.append(points[random.choice(len(points), p=share)])
        cost = np.minimum(cost, step.distances(points, np.array(chosen[-1:]))[0])
    return np.array(chosen, dtype=np.float64)


def cost_of(points: np.ndarray, centres: np.ndarray, step: Alternation) -> float:
    """Distance to the nearest centre, summed over the points."""
    return float(step.distances(points, centres).min(axis=0).sum())
