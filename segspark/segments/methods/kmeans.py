"""K-Means by squared Euclidean distance (Lloyd 1982): MLlib on everyone, scikit-learn on samples."""

from __future__ import annotations

import warnings
from typing import TYPE_CHECKING

import numpy as np
from sklearn.cluster import KMeans as LocalKMeans
from sklearn.exceptions import ConvergenceWarning
from threadpoolctl import threadpool_limits

from segspark.segments.methods.method import Everyone, Params
from segspark.segments.model import as_stored
from segspark.segments.placement import NearestCentre, Placement
from segspark.segments.sample import sample_vectors

if TYPE_CHECKING:
    from pyspark.sql import DataFrame

    from segspark.segments.config import SchemeConfig

NUMBERS_PER_PARTITION = 2_000_000  # of the fit on everyone: 16 MB of doubles


class KMeans:
    """Squared Euclidean distance to the nearest of k centres, summed over the users, made small."""

    def candidates(self, config: SchemeConfig, points: np.ndarray) -> list[Params]:
        """Every number of segments that is configured."""
        return [{"k": k} for k in config.numbers]

    def fit(self, points: np.ndarray, params: Params, config: SchemeConfig, seed: int) -> Placement:
        """The best of several k-means++ starts."""
        return NearestCentre(fit_centres(points, int(params["k"]), config, seed))

    def fit_everyone(self, everyone: Everyone, params: Params, config: SchemeConfig, seed: int) -> dict[str, Placement]:
        """MLlib's centres, one set per start, or scikit-learn's on up to `fit_sample` users."""
        k = int(params["k"])
        if config.fit == "full":
            found = full_centres(everyone, k, config, seed)
        else:
            found = sampled_centres(everyone, k, config, seed)
        return {name: NearestCentre(centres) for name, centres in found.items()}


def fit_centres(points: np.ndarray, k: int, config: SchemeConfig, seed: int) -> np.ndarray:
    """K-Means centres, best of several k-means++ starts (Lloyd 1982; Arthur and Vassilvitskii 2007)."""
    spread = float(points.var(axis=0).mean())
    relative = config.tolerance**2 / spread if spread > 0 else 0.0  # scikit-learn multiplies it by the spread again
    model = LocalKMeans(k, n_init=config.starts, max_iter=config.max_iter, tol=relative, random_state=seed % 2**32)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", ConvergenceWarning)
        return np.asarray(model.fit(points).cluster_centers_, dtype=np.float64)


def full_centres(everyone: Everyone, k: int, config: SchemeConfig, seed: int) -> dict[str, np.ndarray]:
    """MLlib's K-Means on everyone, k-means|| starts (Bahmani et al. 2012), one set of centres per start.

    Starts that found fewer distinct centres than k are left out.
    """
    from pyspark.ml.clustering import KMeans as SparkKMeans

    ready = spread_evenly(everyone, config)
    found = {}
    for start in range(config.fit_starts):
        estimator = SparkKMeans(k=k, seed=seed + start, maxIter=config.max_iter, tol=config.tolerance)
        centres = np.array(estimator.fit(ready).clusterCenters())
        if len(np.unique(as_stored(centres), axis=0)) == k:
            found[f"full, start {start + 1}"] = as_stored(centres)
    return found


def sampled_centres(everyone: Everyone, k: int, config: SchemeConfig, seed: int) -> dict[str, np.ndarray]:
    """scikit-learn's K-Means on up to `fit_sample` users chosen by hash, held on the driver."""
    sample = sample_vectors(everyone.vectors, config.fit_sample, everyone.users, seed)
    with threadpool_limits(limits=1):
        centres = fit_centres(sample.points, k, config, seed)
    return {f"sample of {len(sample.points)}": as_stored(centres)}


def spread_evenly(everyone: Everyone, config: SchemeConfig) -> DataFrame:
    """The vectors as MLlib takes them (features: vector), for a fit that does not depend on layout or cores.

    Rows are spread and ordered by user_id, and partitions come from the amount of data. The frame is not cached: MLlib
    keeps its own instances.
    """
    from pyspark.ml.functions import array_to_vector
    from pyspark.sql import functions as F

    width = F.size("features")
    first = everyone.vectors.select(width.alias("width")).first()
    numbers = everyone.users * (first["width"] if first else 1)
    partitions = config.fit_partitions or max(1, -(-numbers // NUMBERS_PER_PARTITION))
    ready = everyone.vectors.repartition(partitions, "user_id").sortWithinPartitions("user_id")
    return ready.select(array_to_vector(F.col("features")).alias("features"))
