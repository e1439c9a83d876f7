"""Dense places as segments (DBSCAN; Ester et al. 1996), on micro-clusters at any number of users."""

from __future__ import annotations

from math import ceil
from typing import TYPE_CHECKING

import numpy as np
from scipy.spatial.distance import cdist
from sklearn.cluster import DBSCAN

from segspark.segments.methods.method import Everyone, Method, Params
from segspark.segments.micro import MicroClusters, micro_clusters, micro_clusters_of_everyone
from segspark.segments.placement import Placement
from segspark.segments.placements.anchors import Anchors

if TYPE_CHECKING:
    from segspark.segments.config import SchemeConfig

AROUND_THE_KNEE = (0.7, 0.85, 1.0, 1.2, 1.5, 2.0)  # times its distance
CURVE_SEED = 0  # of the micro-clusters that the curve is drawn from; every fit draws its own


class Dbscan(Method):
    """Users near enough to many others, chained; who is near to none of these is noise, a segment of its own.

    `eps` is how near, `core` how many, as a share of the users: `min_points` micro-clusters' worth of them.
    """

    def candidates(self, config: SchemeConfig, points: np.ndarray) -> list[Params]:
        """A few distances around the knee of the k-distance curve."""
        micro = micro_clusters(points, config.micro_clusters, CURVE_SEED)
        core = min(1.0, config.min_points / len(micro.points))
        knee = knee_of(core_distances(micro, core * micro.weights.sum()), micro.weights)
        distances = [float(f"{knee * times:.6g}") for times in AROUND_THE_KNEE]
        return [{"eps": distance, "core": core} for distance in distances if distance > 0] or [
            {"eps": 1.0, "core": core}
        ]

    def fit(self, points: np.ndarray, params: Params, config: SchemeConfig, seed: int) -> Placement:
        """scikit-learn's on the micro-clusters of the points."""
        return self.fit_all(points, [params], config, seed)[0]

    def fit_all(self, points: np.ndarray, tried: list[Params], config: SchemeConfig, seed: int) -> list[Placement]:
        """Every distance on the same micro-clusters."""
        micro = micro_clusters(points, config.micro_clusters, seed)
        return [dense_places(micro, params, config) for params in tried]

    def fit_everyone(self, everyone: Everyone, params: Params, config: SchemeConfig, seed: int) -> dict[str, Placement]:
        """The same on micro-clusters that count everyone; none where the sample held everyone."""
        if everyone.users <= config.sample:
            return {}
        micro = micro_clusters_of_everyone(everyone, config, seed)
        return {micro.told: dense_places(micro, params, config)}


def dense_places(micro: MicroClusters, params: Params, config: SchemeConfig) -> Anchors:
    """A user goes where the nearest micro-cluster does."""
    least = ceil(round(params["core"] * float(micro.weights.sum()), 6))
    model = DBSCAN(eps=params["eps"], min_samples=max(1, least))
    labels = model.fit(micro.points, sample_weight=micro.weights).labels_
    return labelled(micro.points, labels, micro.weights, config.min_share)


def labelled(points: np.ndarray, labels: np.ndarray, weights: np.ndarray, min_share: float, votes: int = 1) -> Anchors:
    """Anchors by labels of which -1 is noise, as are clusters of fewer users than can be acted on.

    The segments come first, noise last. Where nothing is dense, everyone is one segment.
    """
    shares = np.bincount(labels + 1, weights=weights)[1:] / weights.sum()
    kept = np.flatnonzero(shares >= min_share)
    if len(kept) == 0:
        return Anchors(points, np.zeros(len(points), np.int64), votes=votes)
    places = np.full(len(shares) + 1, len(kept), np.int64)  # the last stands for noise, as does index -1
    places[kept] = np.arange(len(kept))
    found = places[labels]
    return Anchors(points, found, len(kept) if (found == len(kept)).any() else -1, votes)


def core_distances(micro: MicroClusters, least: float) -> np.ndarray:
    """How far around each micro-cluster the first `least` users reach, its own among them."""
    distances = cdist(micro.points, micro.points)
    order = np.argsort(distances, axis=1, kind="stable")
    reached = np.cumsum(micro.weights[order], axis=1) >= least - 1e-6
    place = np.where(reached.any(axis=1), reached.argmax(axis=1), len(distances) - 1)
    everyone = np.arange(len(distances))
    return np.asarray(distances[everyone, order[everyone, place]])


def knee_of(distances: np.ndarray, weights: np.ndarray) -> float:
    """Where the curve of users by distance lies farthest below its chord (Satopaa et al. 2011).

    Users who are as many in one place as make it dense have no part: theirs is 0.
    """
    distances, weights = (values[distances > 0] for values in (distances, weights))
    if len(distances) == 0:
        return 1.0
    order = np.argsort(distances, kind="stable")
    heights, users = distances[order], np.cumsum(weights[order])
    span = heights[-1] - heights[0]
    if span <= 0:
        return float(heights[-1])
    return float(heights[int(np.argmax(users / users[-1] - (heights - heights[0]) / span))])
