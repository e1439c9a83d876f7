"""Which parameters: every candidate fitted and measured on one bounded sample."""

import os
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
from typing import TypeVar

import numpy as np
from sklearn.metrics import adjusted_rand_score
from threadpoolctl import threadpool_limits

from segspark.segments.config import SchemeConfig
from segspark.segments.methods.method import Params
from segspark.segments.methods.registry import METHODS
from segspark.segments.metrics import (
    calinski_harabasz,
    cluster_means,
    davies_bouldin,
    prediction_strength,
    simplified_silhouette,
)
from segspark.segments.placement import Placement
from segspark.segments.placements.tree import CutTree
from segspark.segments.sample import VectorSample

Found = TypeVar("Found")
CLEARLY = 1.05  # times; a smaller advantage in Calinski-Harabasz is noise


@dataclass(frozen=True)
class Candidate:
    """One choice of parameters, fitted and measured on the sample."""

    params: Params
    placement: Placement
    k: int  # segments found, noise left out
    cost: float  # of the method's own kind, mean over the sample
    silhouette: float
    davies_bouldin: float
    calinski_harabasz: float
    prediction_strength: float  # mean over the halves
    stability: float  # adjusted Rand index with the refits to parts of the sample, mean
    min_share: float
    max_share: float
    cophenetic: float | None = None  # correlation of distances and dendrogram, where there is one
    score: float = 0.0


def try_candidates(sample: VectorSample, candidates: list[Params], config: SchemeConfig, seed: int) -> list[Candidate]:
    """Fits and measures every candidate and scores them; none may ask for more than the sample's distinct points.

    The fits to the sample, to its halves and to its parts run side by side on the driver's cores, each on one thread:
    with several, sums in another order could end elsewhere from run to run.
    """
    with threadpool_limits(limits=1), ThreadPoolExecutor(os.cpu_count()) as pool:
        splits = [pool.submit(_alone, strengths, sample, n, candidates, config, seed) for n in range(config.splits)]
        fits = _alone(METHODS[config.algorithm].fit_all, sample.points, candidates, config, seed)
        parts = range(config.refits)
        refits = [pool.submit(_alone, recoveries, sample, n, candidates, fits, config, seed) for n in parts]
        measured = [np.mean([each.result() for each in found], axis=0) for found in (splits, refits)]
        tried = [measure(sample, *each) for each in zip(candidates, fits, *measured, strict=True)]
    return scored(tried, config)


def _alone(work: Callable[..., Found], *arguments: object) -> Found:
    """The work on one thread: OpenMP keeps its number of threads by thread, BLAS for all."""
    with threadpool_limits(limits=1):
        return work(*arguments)


def measure(sample: VectorSample, params: Params, placement: Placement, strength: float, stability: float) -> Candidate:
    """One candidate, without its score. Indices of a fit that found a single segment are nought; noise has no part."""
    points = sample.points
    placed = placement.place(points)
    sizes = np.bincount(placed.number, minlength=placement.segments)
    own = np.delete(sizes, placement.noise) if placement.noise is not None else sizes
    belongs = placed.number != (-1 if placement.noise is None else placement.noise)
    return Candidate(
        params=params,
        placement=placement,
        k=len(own),
        cost=float(placed.cost.mean()),
        **indices(points[belongs], placed.number[belongs]),
        prediction_strength=float(strength),
        stability=float(stability),
        min_share=float(own.min() / len(points)),
        max_share=float(sizes.max() / len(points)),
        cophenetic=placement.cophenetic if isinstance(placement, CutTree) else None,
    )


def indices(points: np.ndarray, number: np.ndarray) -> dict[str, float]:
    """Simplified silhouette, Davies-Bouldin and Calinski-Harabasz of a partition, by its segments' means."""
    _, labels = np.unique(number, return_inverse=True)
    if labels.max(initial=0) == 0:
        return {"silhouette": 0.0, "davies_bouldin": float("inf"), "calinski_harabasz": 0.0}
    means, _ = cluster_means(points, labels)
    return {
        "silhouette": simplified_silhouette(points, means),
        "davies_bouldin": davies_bouldin(points, labels),
        "calinski_harabasz": calinski_harabasz(points, labels),
    }


def strengths(
    sample: VectorSample, split: int, candidates: list[Params], config: SchemeConfig, seed: int
) -> list[float]:
    """Prediction strength by candidate, mean over the halves of one hash split; 0 where a half is too small."""
    in_first = (sample.bits >> split) & 1 == 0
    halves = [sample.points[in_first], sample.points[~in_first]]
    most = min(distinct(half) for half in halves)
    fits = zip(*(fit_possible(half, candidates, most, config, seed) for half in halves), strict=True)
    return [0.0 if one is None or other is None else carried_over(halves, (one, other)) for one, other in fits]


def carried_over(halves: list[np.ndarray], fits: tuple[Placement, Placement]) -> float:
    """How well either half's fit keeps the other half's own segments together."""
    found = []
    for half, own_fit, other_fit in zip(halves, fits, fits[::-1], strict=True):
        own, carried = own_fit.place(half).number, other_fit.place(half).number
        found.append(prediction_strength(own, carried, own_fit.segments, other_fit.segments, own_fit.noise))
    return float(np.mean(found))


def recoveries(
    sample: VectorSample,
    refit: int,
    candidates: list[Params],
    fits: list[Placement],
    config: SchemeConfig,
    seed: int,
) -> list[float]:
    """Adjusted Rand index, over the sample, of each fit and its refit to a hash-chosen 80 %; 0 where that is few."""
    part = sample.points[four_of_five(sample.bits, refit)]
    again = fit_possible(part, candidates, distinct(part), config, seed)
    return [
        0.0 if other is None else rand_index(sample.points, own, other) for own, other in zip(fits, again, strict=True)
    ]


def four_of_five(bits: np.ndarray, number: int) -> np.ndarray:
    """80 % of the users, by a digit of their bits to the base 5; another 80 % for another number, up to 20."""
    return bits.astype(np.uint64) // np.uint64(5**number) % np.uint64(5) != 0


def rand_index(points: np.ndarray, one: Placement, other: Placement) -> float:
    """Adjusted Rand index of two placements of the same points (Hubert and Arabie 1985)."""
    return float(adjusted_rand_score(one.place(points).number, other.place(points).number))


def fit_possible(
    points: np.ndarray, candidates: list[Params], most: int, config: SchemeConfig, seed: int
) -> list[Placement | None]:
    """A fit per candidate; None for those that ask for more than `most` segments, or for any of a single point."""
    possible = [params for params in candidates if params.get("k", 2) <= most]
    fits = iter(METHODS[config.algorithm].fit_all(points, possible, config, seed) if possible else ())
    return [next(fits) if params in possible else None for params in candidates]


def distinct(points: np.ndarray) -> int:
    """Distinct points."""
    return len(np.unique(points, axis=0)) if len(points) else 0


def scored(candidates: list[Candidate], config: SchemeConfig) -> list[Candidate]:
    """The candidates with the one score that the choice goes by; the highest is chosen.

    2 for a candidate of more than one segment and none below the least share: it beats any other. 1 more where the
    prediction strength reaches the bound, and there the larger k is better (Tibshirani and Walther 2005), unless a
    smaller one does too, no weaker and a peak of the Calinski-Harabasz index (above k and above its own next smaller)
    that is clear or that Davies-Bouldin confirms: then k has split what belongs together. Where the index only falls
    with k, as on users who shade into one another, it says nothing of k. Of the others the stronger is better.
    """
    highest = max(candidate.k for candidate in candidates)
    by_k = {int(candidate.params["k"]): candidate for candidate in candidates if "k" in candidate.params}
    return [replace(candidate, score=_score(candidate, by_k, highest, config)) for candidate in candidates]


def best(candidates: list[Candidate]) -> Candidate:
    """The chosen candidate: highest score, of equals the stronger, the higher Calinski-Harabasz, then the smaller k."""
    return max(candidates, key=lambda one: (one.score, one.prediction_strength, one.calinski_harabasz, -one.k))


def _score(candidate: Candidate, by_k: dict[int, Candidate], highest: int, config: SchemeConfig) -> float:
    tier = 2.0 if _has_room(candidate, config) else 0.0
    if not _is_strong(candidate, config) or _splits_needlessly(candidate, by_k, config):
        return tier + 0.999 * candidate.prediction_strength
    return tier + 1.0 + 0.999 * candidate.k / highest


def _splits_needlessly(candidate: Candidate, by_k: dict[int, Candidate], config: SchemeConfig) -> bool:
    return any(
        _is_peak(fewer, by_k)
        and _has_room(fewer, config)
        and _is_strong(fewer, config)
        and fewer.prediction_strength >= candidate.prediction_strength
        and _is_tighter(fewer, candidate)
        for fewer in by_k.values()
        if fewer.k < candidate.k
    )


def _is_peak(candidate: Candidate, by_k: dict[int, Candidate]) -> bool:
    fewer = by_k.get(candidate.k - 1)
    return fewer is not None and candidate.calinski_harabasz > fewer.calinski_harabasz


def _is_tighter(fewer: Candidate, candidate: Candidate) -> bool:
    if fewer.calinski_harabasz > CLEARLY * candidate.calinski_harabasz:
        return True
    is_above = fewer.calinski_harabasz > candidate.calinski_harabasz
    return is_above and fewer.davies_bouldin < candidate.davies_bouldin


def _has_room(candidate: Candidate, config: SchemeConfig) -> bool:
    return candidate.k > 1 and candidate.min_share >= config.min_share


def _is_strong(candidate: Candidate, config: SchemeConfig) -> bool:
    return candidate.prediction_strength >= config.strength
