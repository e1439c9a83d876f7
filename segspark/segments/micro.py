"""Everyone as some thousand micro-clusters, on which methods run that no number of users would allow.

Additive summaries in place of users (Zhang, Ramakrishnan and Livny 1996): how many, and their mean.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from sklearn.cluster import MiniBatchKMeans
from threadpoolctl import threadpool_limits

from segspark.segments.assign import FRACTIONS, tally
from segspark.segments.model import as_stored
from segspark.segments.placements.cells import Cells
from segspark.segments.sample import sample_vectors
from segspark.segments.shortlist import nearest_anchor

if TYPE_CHECKING:
    from segspark.segments.config import SchemeConfig
    from segspark.segments.methods.method import Everyone

ROUNDS = 10  # passes over the sample that place the centres
BATCH = 4096  # users per step of them


@dataclass(frozen=True)
class MicroClusters:
    """One row per micro-cluster: the mean of its users, and how many they are."""

    points: np.ndarray
    weights: np.ndarray

    @property
    def told(self) -> str:
        """How many of how many users."""
        return f"{len(self.points)} micro-clusters of {int(self.weights.sum())} users"


def micro_clusters(points: np.ndarray, count: int, seed: int) -> MicroClusters:
    """Up to `count` micro-clusters of points; the distinct points themselves where there are no more.

    Centres by K-Means in small batches (Sculley 2010) from users chosen at random, so that there are more of them where
    there are more users.
    """
    distinct, times = np.unique(points, axis=0, return_counts=True)
    if len(distinct) <= count:
        return MicroClusters(distinct, times.astype(np.float64))
    number, _ = nearest_anchor(points, micro_centres(points, count, seed))
    users = np.bincount(number, minlength=count)
    sums = np.column_stack([np.bincount(number, weights=column, minlength=count) for column in points.T])
    return MicroClusters(as_stored(sums[users > 0] / users[users > 0, None]), users[users > 0].astype(np.float64))


def micro_centres(points: np.ndarray, count: int, seed: int) -> np.ndarray:
    """Distinct centres, as many as asked for or somewhat fewer."""
    seed %= 2**32
    model = MiniBatchKMeans(
        count,
        init="random",
        n_init=1,
        max_iter=ROUNDS,
        batch_size=BATCH,
        reassignment_ratio=0,
        random_state=seed % 2**32,
    )
    return np.unique(as_stored(model.fit(points).cluster_centers_), axis=0)


def micro_clusters_of_everyone(everyone: Everyone, config: SchemeConfig, seed: int) -> MicroClusters:
    """Centres from up to `fit_sample` users on the driver; users and means of everyone, in one pass, for fit: full."""
    sample = sample_vectors(everyone.vectors, config.fit_sample, everyone.users, seed)
    with threadpool_limits(limits=1):
        micro = micro_clusters(sample.points, config.micro_clusters, seed)
    if config.fit == "sample" or len(sample.points) == everyone.users:
        return micro
    return counted(everyone, micro.points)


def counted(everyone: Everyone, centres: np.ndarray) -> MicroClusters:
    """Users nearest to each centre and their mean, of everyone; centres that nobody is nearest to are left out."""
    rows = tally(everyone.vectors, [Cells(centres)], centres.shape[1]).orderBy("segment").collect()  # one per centre
    weights = np.array([row["users"] for row in rows], dtype=np.float64)
    totals = np.array([[*row][4:] for row in rows], dtype=np.float64)
    return MicroClusters(as_stored(totals / FRACTIONS / weights[:, None]), weights)
