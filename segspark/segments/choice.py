"""Which number of segments: every candidate fitted and measured on one bounded sample."""

import warnings
from dataclasses import dataclass, replace

import numpy as np
from sklearn.cluster import KMeans
from sklearn.exceptions import ConvergenceWarning
from sklearn.metrics import adjusted_rand_score
from threadpoolctl import threadpool_limits

from segspark.segments.config import SchemeConfig
from segspark.segments.geometry import nearest
from segspark.segments.metrics import (
    calinski_harabasz,
    davies_bouldin,
    prediction_strength,
    simplified_silhouette,
)
from segspark.segments.sample import VectorSample

CLEARLY = 1.05  # times; a smaller advantage in Calinski-Harabasz is noise


@dataclass(frozen=True)
class Candidate:
    """One number of segments, fitted and measured on the sample."""

    k: int
    centres: np.ndarray
    cost: float  # squared distance to the own centre, mean over the sample
    silhouette: float
    davies_bouldin: float
    calinski_harabasz: float
    prediction_strength: float  # mean over the halves
    stability: float  # adjusted Rand index, mean over the halves
    min_share: float
    score: float = 0.0


def try_candidates(sample: VectorSample, numbers: list[int], config: SchemeConfig, seed: int) -> list[Candidate]:
    """Fits and measures every number of segments and scores them; none may exceed the sample's distinct points.

    One thread: with several, sums in another order could end elsewhere from run to run.
    """
    with threadpool_limits(limits=1):
        return scored([measure(sample, k, config, seed) for k in numbers], config)


def measure(sample: VectorSample, k: int, config: SchemeConfig, seed: int) -> Candidate:
    """One candidate, without its score."""
    points = sample.points
    centres = fit_centres(points, k, config, seed)
    found = nearest(points, centres)
    halves = [agreement(sample, split, k, config, seed) for split in range(config.splits)]
    return Candidate(
        k=k,
        centres=centres,
        cost=float(found.first.mean()),
        silhouette=simplified_silhouette(points, centres),
        davies_bouldin=davies_bouldin(points, found.label),
        calinski_harabasz=calinski_harabasz(points, found.label),
        prediction_strength=float(np.mean([value for half in halves for value in half[0]])),
        stability=float(np.mean([value for half in halves for value in half[1]])),
        min_share=float(np.bincount(found.label, minlength=k).min() / len(points)),
    )


def agreement(
    sample: VectorSample, split: int, k: int, config: SchemeConfig, seed: int
) -> tuple[list[float], list[float]]:
    """Prediction strength and adjusted Rand index in either half of one hash split; 0 where a half is too small."""
    in_first = (sample.bits >> split) & 1 == 0
    halves = [sample.points[in_first], sample.points[~in_first]]
    if min(distinct(half) for half in halves) < k:
        return [0.0, 0.0], [0.0, 0.0]
    centres = [fit_centres(half, k, config, seed) for half in halves]
    strengths, indices = [], []
    for half, own_centres, other_centres in zip(halves, centres, centres[::-1], strict=True):
        own, carried = nearest(half, own_centres).label, nearest(half, other_centres).label
        strengths.append(prediction_strength(own, carried, k))
        indices.append(float(adjusted_rand_score(own, carried)))
    return strengths, indices


def fit_centres(points: np.ndarray, k: int, config: SchemeConfig, seed: int) -> np.ndarray:
    """K-Means centres, best of several k-means++ starts (Lloyd 1982; Arthur and Vassilvitskii 2007)."""
    spread = float(points.var(axis=0).mean())
    relative = config.tolerance**2 / spread if spread > 0 else 0.0  # scikit-learn multiplies it by the spread again
    model = KMeans(k, n_init=config.starts, max_iter=config.max_iter, tol=relative, random_state=seed % 2**32)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", ConvergenceWarning)
        return np.asarray(model.fit(points).cluster_centers_, dtype=np.float64)


def distinct(points: np.ndarray) -> int:
    """Distinct points."""
    return len(np.unique(points, axis=0)) if len(points) else 0


def scored(candidates: list[Candidate], config: SchemeConfig) -> list[Candidate]:
    """The candidates with the one score that the choice goes by; the highest is chosen.

    2 for a candidate without a segment below the least share: it beats any that has one. 1 more where the prediction
    strength reaches the bound, and there the larger k is better (Tibshirani and Walther 2005), unless k - 1 does too,
    no weaker and a clear peak of the Calinski-Harabasz index (above k and above k - 2): then k has split what belongs
    together. Where the index only falls with k, as on users who shade into one another, it says nothing of k. Of the
    others the stronger is better.
    """
    highest = max(candidate.k for candidate in candidates)
    by_k = {candidate.k: candidate for candidate in candidates}
    return [replace(candidate, score=_score(candidate, by_k, highest, config)) for candidate in candidates]


def best(candidates: list[Candidate]) -> Candidate:
    """The chosen candidate: highest score, of equals the higher Calinski-Harabasz, then the smaller k."""
    return max(candidates, key=lambda candidate: (candidate.score, candidate.calinski_harabasz, -candidate.k))


def _score(candidate: Candidate, by_k: dict[int, Candidate], highest: int, config: SchemeConfig) -> float:
    tier = 2.0 if _has_room(candidate, config) else 0.0
    if not _is_strong(candidate, config) or _splits_needlessly(candidate, by_k, config):
        return tier + 0.999 * candidate.prediction_strength
    return tier + 1.0 + 0.999 * candidate.k / highest


def _splits_needlessly(candidate: Candidate, by_k: dict[int, Candidate], config: SchemeConfig) -> bool:
    fewer, fewest = by_k.get(candidate.k - 1), by_k.get(candidate.k - 2)
    if fewer is None or fewest is None or not (_has_room(fewer, config) and _is_strong(fewer, config)):
        return False
    is_no_weaker = fewer.prediction_strength >= candidate.prediction_strength
    is_peak = fewer.calinski_harabasz > max(CLEARLY * candidate.calinski_harabasz, fewest.calinski_harabasz)
    return is_no_weaker and is_peak


def _has_room(candidate: Candidate, config: SchemeConfig) -> bool:
    return candidate.min_share >= config.min_share


def _is_strong(candidate: Candidate, config: SchemeConfig) -> bool:
    return candidate.prediction_strength >= config.strength
