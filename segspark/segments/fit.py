"""The final centres of a scheme, and everyone counted under them."""

import json
from dataclasses import dataclass

import numpy as np
from pyspark.ml.clustering import KMeans
from pyspark.ml.functions import array_to_vector
from pyspark.sql import DataFrame
from pyspark.sql import functions as F
from threadpoolctl import threadpool_limits

from segspark.segments.assign import tally
from segspark.segments.choice import Candidate, fit_centres
from segspark.segments.config import SchemeConfig
from segspark.segments.geometry import principal_axes
from segspark.segments.model import SegmentModel, as_stored, ordered
from segspark.segments.sample import VectorSample, sample_vectors

NUMBERS_PER_PARTITION = 2_000_000  # of the fit on everyone: 16 MB of doubles
EQUAL_COST = 1e-9  # relative; below it a difference is the order of a sum


@dataclass(frozen=True)
class FittedScheme:
    """The model, and as JSON where its centres come from and what each source would have cost."""

    model: SegmentModel
    params: str
    sample_params: str  # of the candidates that were not chosen


def fit_scheme(
    vectors: DataFrame, sample: VectorSample, chosen: Candidate, users: int, config: SchemeConfig, seed: int
) -> FittedScheme:
    """Centres from the configured fit and from the chosen candidate, whichever cost everyone less.

    So a fit on everyone that ended in a bad local optimum never wins over the sample's. Reads the vectors once per
    iteration of MLlib's starts, and once more to count.
    """
    if config.fit == "full":
        numbers = users * sample.points.shape[1]
        sources = full_centres(vectors, chosen.k, numbers, config, seed)
    else:
        sources = sampled_centres(vectors, chosen.k, users, config, seed)
    sources["candidate"] = as_stored(chosen.centres)
    counts = count_under(vectors, list(sources.values()))
    costs = {name: float(cost.sum()) / users for name, (_, cost) in zip(sources, counts, strict=True)}
    bound = min(costs.values()) * (1 + EQUAL_COST)
    winner = next(name for name, cost in costs.items() if cost <= bound)
    sizes, _ = counts[list(sources).index(winner)]
    order = ordered(sources[winner], sizes)
    with threadpool_limits(limits=1):
        origin, axes = principal_axes(sample.points)
    model = SegmentModel(sources[winner][order], sizes[order], origin, axes)
    return FittedScheme(model, *_params(config, users, len(sample.points), winner, costs))


def full_centres(vectors: DataFrame, k: int, numbers: int, config: SchemeConfig, seed: int) -> dict[str, np.ndarray]:
    """MLlib's K-Means on everyone, k-means|| starts (Bahmani et al. 2012), one set of centres per start.

    `numbers` is users x features. Rows are spread and ordered by user_id, and partitions come from the amount of data,
    so that neither the input's layout nor the cores change the draw. The frame is not cached: MLlib keeps its own
    instances. Starts that found fewer distinct centres than k are left out.
    """
    partitions = config.fit_partitions or max(1, -(-numbers // NUMBERS_PER_PARTITION))
    ready = vectors.repartition(partitions, "user_id").sortWithinPartitions("user_id")
    ready = ready.select(array_to_vector(F.col("features")).alias("features"))
    found = {}
    for start in range(config.fit_starts):
        estimator = KMeans(k=k, seed=seed + start, maxIter=config.max_iter, tol=config.tolerance)
        centres = np.array(estimator.fit(ready).clusterCenters())
        if len(np.unique(as_stored(centres), axis=0)) == k:
            found[f"full, start {start + 1}"] = as_stored(centres)
    return found


def sampled_centres(vectors: DataFrame, k: int, users: int, config: SchemeConfig, seed: int) -> dict[str, np.ndarray]:
    """scikit-learn's K-Means on up to `fit_sample` users chosen by hash, held on the driver."""
    sample = sample_vectors(vectors, config.fit_sample, users, seed)
    with threadpool_limits(limits=1):
        centres = fit_centres(sample.points, k, config, seed)
    return {f"sample of {len(sample.points)}": as_stored(centres)}


def count_under(vectors: DataFrame, alternatives: list[np.ndarray]) -> list[tuple[np.ndarray, np.ndarray]]:
    """Users and summed squared distance per segment, for each set of centres; one pass over everyone."""
    counts = [(np.zeros(len(c), dtype=np.int64), np.zeros(len(c))) for c in alternatives]
    for row in tally(vectors, alternatives).collect():  # alternatives x segments rows
        sizes, costs = counts[row.alternative]
        sizes[row.segment], costs[row.segment] = row.users, row.cost
    return counts


def _params(config: SchemeConfig, users: int, sampled: int, winner: str, costs: dict[str, float]) -> tuple[str, str]:
    """What the fit of every candidate was told, and what beside it there is to tell of the chosen one's final fit."""
    sample = {"sample_users": sampled, "starts": config.starts, "max_iter": config.max_iter, "tol": config.tolerance}
    cost_per_user = {name: float(f"{cost:.9g}") for name, cost in costs.items()}
    final = {"fit": config.fit, "users": users, "centres_from": winner, "cost_per_user": cost_per_user}
    return json.dumps({**sample, **final}), json.dumps(sample)
