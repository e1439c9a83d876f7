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


def test_dense_segments_around_the_knee_are_those_of_the_full_method(points):
    """Farther out the full method chains groups that micro-clusters keep apart: they are then nearer the truth."""
    config = SchemeConfig(algorithm="dbscan")
    knee, beyond = METHODS["dbscan"].candidates(config, points)[2:4]
    for params in (knee, beyond):
        ours = METHODS["dbscan"].fit(points, params, config, 7).place(points).number
        theirs = DBSCAN(eps=params["eps"], min_samples=round(params["core"] * USERS)).fit_predict(points)
        assert adjusted_rand_score(theirs, ours) >= 0.90


def test_lasting_segments_of_the_chosen_share_are_those_of_the_full_method(points):
    config = SchemeConfig(algorithm="hdbscan", splits=1, refits=1)
    sample = sample_of(points[:5_000])
    chosen = best(try_candidates(sample, METHODS["hdbscan"].candidates(config, sample.points), config, 7))
    ours = METHODS["hdbscan"].fit(points, chosen.params, config, 7).place(points).number
    least = round(chosen.params["least"] * USERS)
    theirs = HDBSCAN(min_cluster_size=least, min_samples=5, copy=True).fit_predict(points)
    assert adjusted_rand_score(theirs, ours) >= 0.90
