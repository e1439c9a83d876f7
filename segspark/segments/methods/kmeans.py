"""K-Means by squared Euclidean or cosine distance (Lloyd 1982): MLlib on everyone, scikit-learn on samples."""

from __future__ import annotations

import warnings
from typing import TYPE_CHECKING

import numpy as np
from sklearn.cluster import KMeans as LocalKMeans
from sklearn.exceptions import ConvergenceWarning
from threadpoolctl import threadpool_limits

from segspark.segments.methods.cosine import around, fit_directions
from segspark.segments.methods.method import Everyone, Method, Params
from segspark.segments.model import as_stored
from segspark.segments.placement import NearestCentre, Placement
from segspark.segments.sample import sample_vectors

if TYPE_CHECKING:
    from pyspark.sql import DataFrame

    from segspark.segments.config import SchemeConfig

NUMBERS_PER_PARTITION = 2_000_000  # of the fit on everyone: 16 MB of doubles


class KMeans(Method):
    """Distance to the nearest of k centres, squared Euclidean or cosine, summed over the users, made small."""

    def candidates(self, config: SchemeConfig, points: np.ndarray) -> list[Params]:
        """Every number of segments that is configured."""
        return [{"k": k} for k in config.numbers]

    def fit(self, points: np.ndarray, params: Params, config: SchemeConfig, seed: int) -> Placement:
        """The best of several starts."""
        if config.distance == "cosine":
            return fit_directions(points, int(params["k"]), config, seed)
        return NearestCentre(fit_centres(points, int(params["k"]), config, seed))

    def fit_everyone(self, everyone: Everyone, params: Params, config: SchemeConfig, seed: int) -> dict[str, Placement]:
        """MLlib's centres, one set per start, or the driver's on up to `fit_sample` users."""
        k = int(params["k"])
        if config.distance == "cosine":
            return everyones_directions(everyone, k, config, seed)
        find = full_centres if config.fit == "full" else sampled_centres
        return {name: NearestCentre(centres) for name, centres in find(everyone, k, config, seed).items()}


def everyones_directions(everyone: Everyone, k: int, config: SchemeConfig, seed: int) -> dict[str, Placement]:
    """As `fit_everyone`, by cosine. Vectors of length 0 go where most of the driver's users do."""
    size = config.fit_sample if config.fit == "sample" else config.sample
    sample = sample_vectors(everyone.vectors, size, everyone.users, seed)
    with threadpool_limits(limits=1):
        if config.fit == "sample":
            return {f"sample of {len(sample.points)}": fit_directions(sample.points, k, config, seed)}
    return {name: around(found, sample.points) for name, found in full_centres(everyone, k, config, seed).items()}


def fit_centres(points: np.ndarray, k: int, config: SchemeConfig, seed: int) -> np.ndarray:
    """K-Means centres, best of several starts, k-means++ (Arthur and Vassilvitskii 2007) or random users."""
    spread = float(points.var(axis=0).mean())
    relative = config.tolerance**2 / spread if spread > 0 else 0.0  # scikit-learn multiplies it by the spread again
    init = "k-means++" if config.start == "kmeans++" else "random"
    model = LocalKMeans(
        k, init=init, n_init=config.starts, max_iter=config.max_iter, tol=relative, random_state=seed % 2**32
    )
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", ConvergenceWarning)
        return np.asarray(model.fit(points).cluster_centers_, dtype=np.float64)


def full_centres(everyone: Everyone, k: int, config: SchemeConfig, seed: int) -> dict[str, np.ndarray]:
    """MLlib's K-Means on everyone, k-means|| (Bahmani et al. 2012) or random starts, one set of centres per start.

    Starts that found fewer distinct centres than k are left out. By cosine, so are users whose vector has length 0.
    """
    from pyspark.ml.clustering import KMeans as SparkKMeans
    from pyspark.sql import functions as F

    if config.distance == "cosine":
        has_direction = F.exists("features", lambda value: value != 0)
        everyone = Everyone(everyone.vectors.where(has_direction), everyone.users)
    ready = spread_evenly(everyone, config)
    mode = "k-means||" if config.start == "kmeans++" else "random"
    found = {}
    for start in range(config.fit_starts):
        estimator = SparkKMeans(k=k, seed=seed + start, maxIter=config.max_iter, tol=config.tolerance, initMode=mode)
        estimator.setDistanceMeasure(config.distance)
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
