"""Every method that scikit-learn has, against scikit-learn's, on labelled sets."""

import pytest
from sklearn.cluster import DBSCAN, HDBSCAN, AgglomerativeClustering, BisectingKMeans, KMeans
from sklearn.metrics import adjusted_rand_score
from sklearn.mixture import GaussianMixture

from segspark.segments.config import SchemeConfig
from segspark.segments.methods.registry import METHODS
from tests.unit.segments.blobs import moons, needs_wholesale, rings, wholesale

THEIRS = {
    "kmeans": KMeans(2, n_init=10, random_state=0),
    "bisecting": BisectingKMeans(2, n_init=10, random_state=0),
    "mixture": GaussianMixture(2, n_init=10, random_state=0),
    "ward": AgglomerativeClustering(2, linkage="ward"),
    "average": AgglomerativeClustering(2, linkage="average"),
}
SETS = [moons, rings, pytest.param(wholesale, marks=needs_wholesale)]


@pytest.mark.parametrize("name", THEIRS)
@pytest.mark.parametrize("labelled_set", SETS)
def test_two_segments_are_as_near_the_truth(name, labelled_set):
    points, groups = labelled_set()
    config = SchemeConfig(algorithm=name, starts=10)
    ours = METHODS[name].fit(points, {"k": 2}, config, 7).place(points).number
    theirs = THEIRS[name].fit_predict(points)
    assert adjusted_rand_score(groups, ours) >= adjusted_rand_score(groups, theirs) - 0.02


@pytest.mark.parametrize("labelled_set", SETS)
def test_dense_places_are_as_near_the_truth_at_every_distance_of_the_curve(labelled_set):
    points, groups = labelled_set()
    config = SchemeConfig(algorithm="dbscan", min_share=0)
    for params in METHODS["dbscan"].candidates(config, points):
        ours = METHODS["dbscan"].fit(points, params, config, 7).place(points).number
        theirs = DBSCAN(eps=params["eps"], min_samples=5).fit_predict(points)
        assert adjusted_rand_score(groups, ours) >= adjusted_rand_score(groups, theirs) - 0.02


@pytest.mark.parametrize("labelled_set", SETS)
def test_lasting_places_are_as_near_the_truth_at_every_least_share(labelled_set):
    points, groups = labelled_set()
    config = SchemeConfig(algorithm="hdbscan")
    for params in METHODS["hdbscan"].candidates(config, points):
        ours = METHODS["hdbscan"].fit(points, params, config, 7).place(points).number
        least = max(2, round(params["least"] * len(points)))
        theirs = HDBSCAN(min_cluster_size=least, min_samples=5, copy=True).fit_predict(points)
        assert adjusted_rand_score(groups, ours) >= adjusted_rand_score(groups, theirs) - 0.02
