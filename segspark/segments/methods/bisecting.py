"""Bisecting K-Means (Steinbach, Karypis and Kumar 2000): the costliest segment is halved until there are k."""

from __future__ import annotations

import warnings
from typing import TYPE_CHECKING

import numpy as np
from sklearn.cluster import BisectingKMeans
from sklearn.exceptions import ConvergenceWarning
from threadpoolctl import threadpool_limits

from segspark.segments.methods.kmeans import spread_evenly
from segspark.segments.methods.method import Everyone, Method, Params
from segspark.segments.model import as_stored
from segspark.segments.placement import NearestCentre, Placement
from segspark.segments.sample import sample_vectors

if TYPE_CHECKING:
    from segspark.segments.config import SchemeConfig


class Bisecting(Method):
    """Halves by K-Means. Users are placed by the nearest of the k means, which never costs more than the halving."""

    def candidates(self, config: SchemeConfig, points: np.ndarray) -> list[Params]:
        """Every number of segments that is configured."""
        return [{"k": k} for k in config.numbers]

    def fit(self, points: np.ndarray, params: Params, config: SchemeConfig, seed: int) -> Placement:
        """scikit-learn's, each halving the best of several starts."""
        k = int(params["k"])
        init = "k-means++" if config.start == "kmeans++" else "random"
        model = BisectingKMeans(
            k, init=init, n_init=config.starts, max_iter=config.max_iter, random_state=seed % 2**32, copy_x=True
        )
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", ConvergenceWarning)
            return NearestCentre(as_stored(model.fit(points).cluster_centers_))

    def fit_everyone(self, everyone: Everyone, params: Params, config: SchemeConfig, seed: int) -> dict[str, Placement]:
        """MLlib's, one per start, or scikit-learn's on up to `fit_sample` users."""
        if config.fit == "sample":
            sample = sample_vectors(everyone.vectors, config.fit_sample, everyone.users, seed)
            with threadpool_limits(limits=1):
                return {f"sample of {len(sample.points)}": self.fit(sample.points, params, config, seed)}
        return full_bisections(everyone, int(params["k"]), config, seed)


def full_bisections(everyone: Everyone, k: int, config: SchemeConfig, seed: int) -> dict[str, Placement]:
    """MLlib's Bisecting K-Means on everyone, one per start; those that found fewer than k segments are left out."""
    from pyspark.ml.clustering import BisectingKMeans as SparkBisectingKMeans

    ready = spread_evenly(everyone, config)
    found: dict[str, Placement] = {}
    for start in range(config.fit_starts):
        model = SparkBisectingKMeans(k=k, seed=seed + start, maxIter=config.max_iter).fit(ready)
        centres = as_stored(np.array(model.clusterCenters()))
        if len(np.unique(centres, axis=0)) == k:
            found[f"full, start {start + 1}"] = NearestCentre(centres)
    return found
