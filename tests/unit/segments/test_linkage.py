import numpy as np
import pytest
from scipy.cluster import hierarchy
from scipy.spatial.distance import pdist, squareform
from sklearn.metrics import adjusted_rand_score

from segspark.segments.linkage import average_linkage, cophenetic_correlation, cut, ward_linkage


def replicated(seed, count=40, features=3):
    """Points, how many users each stands for, and the users one by one."""
    random = np.random.default_rng(seed)
    points, weights = random.normal(size=(count, features)), random.integers(1, 9, size=count)
    return points, weights.astype(float), np.repeat(points, weights, axis=0)


def merges_of(method, points, weights):
    return ward_linkage(points, weights) if method == "ward" else average_linkage(squareform(pdist(points)), weights)


@pytest.mark.parametrize("method", ["ward", "average"])
@pytest.mark.parametrize("seed", range(4))
def test_the_dendrogram_of_weighted_points_is_scipys_of_the_points_replicated(method, seed):
    points, weights, users = replicated(seed)
    ours, theirs = merges_of(method, points, weights), hierarchy.linkage(users, method)
    assert ours[:, 2] == pytest.approx(theirs[-len(ours) :, 2])
    assert theirs[: -len(ours), 2] == pytest.approx(0.0, abs=1e-7)
    for clusters in (2, 5, 11):
        expected = hierarchy.fcluster(theirs, clusters, "maxclust")
        assert adjusted_rand_score(expected, np.repeat(cut(ours, clusters), weights.astype(int))) == 1.0


@pytest.mark.parametrize("method", ["ward", "average"])
def test_the_cophenetic_correlation_of_weighted_points_is_scipys_of_the_points_replicated(method):
    points, weights, users = replicated(5)
    theirs, _ = hierarchy.cophenet(hierarchy.linkage(users, method), pdist(users))
    assert cophenetic_correlation(points, weights, merges_of(method, points, weights)) == pytest.approx(theirs)


def test_merges_are_numbered_as_scipy_does_so_that_its_dendrogram_can_be_drawn():
    points, _, _ = replicated(6)
    ours, theirs = ward_linkage(points, np.ones(len(points))), hierarchy.linkage(points, "ward")
    assert hierarchy.is_valid_linkage(ours)
    assert ours == pytest.approx(theirs)


def test_a_cut_gives_as_many_clusters_as_asked_for_though_heights_are_equal():
    points = np.arange(6.0).reshape(-1, 1)
    merges = ward_linkage(points, np.ones(6))
    assert [len(np.unique(cut(merges, clusters))) for clusters in range(1, 7)] == [1, 2, 3, 4, 5, 6]


@pytest.mark.parametrize("seed", range(20))
def test_where_many_distances_are_equal_the_dendrogram_is_still_one(seed):
    random = np.random.default_rng(seed)
    kinds = np.unique(random.integers(0, 4, size=(60, 3)), axis=0)
    apart = (kinds[:, None, :] != kinds[None, :, :]).mean(axis=2)
    merges = average_linkage(apart, random.integers(1, 99, size=len(kinds)).astype(float))
    assert hierarchy.is_valid_linkage(merges)
    assert [len(np.unique(cut(merges, clusters))) for clusters in range(1, len(kinds))] == list(range(1, len(kinds)))


def test_heights_never_fall():
    points, weights, _ = replicated(7, count=200, features=2)
    for method in ("ward", "average"):
        assert (np.diff(merges_of(method, points, weights)[:, 2]) >= 0).all()
