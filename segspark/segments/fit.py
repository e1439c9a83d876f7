"""The final placement of a scheme, and everyone counted under it."""

from dataclasses import dataclass

import numpy as np
from threadpoolctl import threadpool_limits

from segspark.segments.assign import FRACTIONS, tally
from segspark.segments.choice import Candidate
from segspark.segments.config import SchemeConfig
from segspark.segments.geometry import principal_axes
from segspark.segments.methods.method import Everyone
from segspark.segments.methods.registry import METHODS
from segspark.segments.model import SegmentModel, as_stored, ordered
from segspark.segments.placement import Placement
from segspark.segments.sample import VectorSample

EQUAL_COST = 1e-9  # relative; below it a difference is the order of a sum


@dataclass(frozen=True)
class Counts:
    """Everyone under one placement, by position of the segment."""

    sizes: np.ndarray
    costs: np.ndarray
    means: np.ndarray  # of the users' points, a row per position; zeros where nobody is


@dataclass(frozen=True)
class FittedScheme:
    """The model, what every candidate's fit was told, and of the final one where it comes from and what others cost."""

    model: SegmentModel
    tried: dict[str, object]
    final: dict[str, object]


def fit_scheme(
    everyone: Everyone, sample: VectorSample, chosen: Candidate, config: SchemeConfig, seed: int
) -> FittedScheme:
    """The method's fit to everyone or the chosen candidate, whichever cost everyone less.

    So a fit on everyone that ended in a bad local optimum never wins over the sample's. Reads the vectors as the method
    does, and once more to count.
    """
    sources = METHODS[config.algorithm].fit_everyone(everyone, chosen.params, config, seed)
    sources["candidate"] = chosen.placement
    counts = count_under(everyone, list(sources.values()), sample.points.shape[1])
    costs = {name: float(count.costs.sum()) / everyone.users for name, count in zip(sources, counts, strict=True)}
    bound = min(costs.values()) + EQUAL_COST * abs(min(costs.values()))
    winner = next(name for name, cost in costs.items() if cost <= bound)
    model = model_of(sources[winner], counts[list(sources).index(winner)], sample.points)
    tried: dict[str, object] = {"sample_users": len(sample.points), "starts": config.starts}
    tried |= {"max_iter": config.max_iter, "tolerance": config.tolerance}
    told = {name: float(f"{cost:.9g}") for name, cost in costs.items()}
    final = {"fit": config.fit, "users": everyone.users, "fitted_by": winner, "cost_per_user": told}
    return FittedScheme(model, tried, {**tried, **final})


def model_of(placement: Placement, counts: Counts, points: np.ndarray) -> SegmentModel:
    """Segments numbered by size, largest first; the map's axes are the principal ones of `points`."""
    centres = as_stored(counts.means)
    order = ordered(centres, counts.sizes)
    with threadpool_limits(limits=1):
        origin, axes = principal_axes(points)
    ids = np.arange(placement.segments)
    return SegmentModel(placement.reordered(order), ids, centres[order], counts.sizes[order], origin, axes)


def count_under(everyone: Everyone, alternatives: list[Placement], width: int) -> list[Counts]:
    """Users, summed cost and mean point of each segment, for each placement; one pass over everyone."""
    counts = [
        Counts(np.zeros(p.segments, np.int64), np.zeros(p.segments), np.zeros((p.segments, width)))
        for p in alternatives
    ]
    for row in tally(everyone.vectors, alternatives, width).collect():  # alternatives x segments rows
        alternative, segment, users, cost, *totals = row
        count = counts[alternative]
        count.sizes[segment], count.costs[segment] = users, cost
        count.means[segment] = np.array(totals) / FRACTIONS / users
    return counts
