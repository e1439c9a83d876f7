"""The reduction to micro-clusters on 20,000 users, against scikit-learn's full methods on the same users."""

import numpy as np
import pytest
from sklearn.cluster import DBSCAN, HDBSCAN, AgglomerativeClustering
from sklearn.metrics import adjusted_rand_score

from segspark.segments.choice import best, try_candidates
from segspark.segments.config import SchemeConfig
from segspark.segments.methods.registry import METHODS
from tests.unit.segments.blobs import blobs, sample_of

pytestmark = pytest.mark.slow
USERS, GROUPS, WIDTH = 20_000, 5, 8


@pytest.fixture(scope="module")
def points():
    """Five groups in eight dimensions, well apart."""
    centres = np.random.default_rng(5).normal(size=(GROUPS, WIDTH)) * 4
    return blobs(centres.tolist(), [USERS // GROUPS] * GROUPS, spread=1.0)[0]


@pytest.mark.parametrize("linkage", ["ward", "average"])
def test_hierarchical_segments_are_those_of_the_full_dendrogram(linkage, points):
    config = SchemeConfig(algorithm=linkage)
    ours = METHODS[linkage].fit(points, {"k": GROUPS}, config, 7).place(points).number
    theirs = AgglomerativeClustering(GROUPS, linkage=linkage).fit_predict(points)
    agreed = adjusted_rand_score(theirs, ours)
    print(f"{linkage}: {agreed:.3f}")
    assert agreed >= 0.90


def full_dbscan(points, params):
    return DBSCAN(eps=params["eps"], min_samples=round(params["core"] * USERS)).fit_predict(points)


def full_hdbscan(points, params):
    return HDBSCAN(min_cluster_size=round(params["least"] * USERS), min_samples=5, copy=True).fit_predict(points)


@pytest.mark.parametrize(("algorithm", "full"), [("dbscan", full_dbscan), ("hdbscan", full_hdbscan)])
def test_dense_segments_of_the_chosen_parameters_are_those_of_the_full_method(algorithm, full, points):
    config = SchemeConfig(algorithm=algorithm, splits=1, refits=1, sample=5_000)
    sample = sample_of(points[:5_000])
    chosen = best(try_candidates(sample, METHODS[algorithm].candidates(config, sample.points), config, 7))
    ours = METHODS[algorithm].fit(points, chosen.params, config, 7).place(points).number
    agreed = adjusted_rand_score(full(points, chosen.params), ours)
    print(f"{algorithm}: {chosen.params} {agreed:.3f}")
    assert agreed >= 0.90
