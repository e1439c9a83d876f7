import numpy as np
import pytest
from scipy.cluster import hierarchy
from scipy.spatial.distance import pdist
from sklearn.cluster import AgglomerativeClustering
from sklearn.metrics import adjusted_rand_score

from segspark.segments.choice import best, try_candidates
from segspark.segments.config import SchemeConfig
from segspark.segments.methods.hierarchical import Hierarchical
from segspark.segments.methods.method import Everyone
from segspark.segments.placement import restored
from tests.unit.segments.blobs import blobs, needs_wholesale, sample_of, vectors_of, wholesale

METHODS = {"ward": Hierarchical("ward"), "average": Hierarchical("average")}
SEPARATED = [[0, 0, 0, 0], [5, 0, 0, 0], [0, 5, 0, 0], [0, 0, 5, 5]]


def config(name, **values):
    return SchemeConfig(algorithm=name, **values)


@needs_wholesale
@pytest.mark.parametrize("name", ["ward", "average"])
def test_wholesale_customers_are_cut_as_by_scikit_learn(name):
    points, channel = wholesale()
    theirs = AgglomerativeClustering(2, linkage=name).fit(points).labels_
    placement = METHODS[name].fit(points, {"k": 2}, config(name), 7)
    ours = placement.place(points).number
    assert adjusted_rand_score(theirs, ours) == 1.0
    assert adjusted_rand_score(channel, ours) == pytest.approx(adjusted_rand_score(channel, theirs))
    coph, _ = hierarchy.cophenet(hierarchy.linkage(points, name), pdist(points))
    assert placement.cophenetic == pytest.approx(coph)


@pytest.mark.parametrize("name", ["ward", "average"])
def test_three_thousand_users_as_three_hundred_micro_clusters_are_cut_as_in_full(name):
    points, _ = blobs(SEPARATED, [1200, 900, 600, 300], spread=0.8, seed=3)
    theirs = AgglomerativeClustering(4, linkage=name).fit(points).labels_
    ours = METHODS[name].fit(points, {"k": 4}, config(name, micro_clusters=300), 7)
    assert len(ours.anchors.points) <= 300
    assert adjusted_rand_score(theirs, ours.place(points).number) >= 0.9


def test_where_groups_overlap_wards_cut_agrees_with_the_full_one_as_two_halves_agree():
    ours, halves, ward = [], [], METHODS["ward"]
    for seed in range(6):
        points, _ = blobs(SEPARATED, [450, 350, 300, 250], spread=1.5, seed=seed)
        full = AgglomerativeClustering(4, linkage="ward").fit(points).labels_
        few, all_points = config("ward", micro_clusters=200), config("ward", micro_clusters=2000)
        ours.append(adjusted_rand_score(full, ward.fit(points, {"k": 4}, few, 7).place(points).number))
        each = [ward.fit(points[start::2], {"k": 4}, all_points, 7).place(points).number for start in (0, 1)]
        halves.append(adjusted_rand_score(*each))
    assert np.mean(ours) >= np.mean(halves) - 0.02


def test_candidates_are_cuts_of_one_dendrogram_and_tell_its_cophenetic_correlation():
    points, groups = blobs(SEPARATED, [120, 90, 60, 30], spread=0.6)
    chosen_from = config("ward", splits=2, micro_clusters=100)
    tried = try_candidates(sample_of(points), [{"k": k} for k in range(2, 7)], chosen_from, 7)
    assert len({entry.cophenetic for entry in tried}) == 1
    assert 0.5 < tried[0].cophenetic < 1
    chosen = best(tried)
    assert chosen.k == 4
    assert adjusted_rand_score(groups, chosen.placement.place(points).number) > 0.99


def test_cost_and_distance_are_to_the_segments_mean_and_the_dendrogram_is_kept():
    points, _ = blobs(SEPARATED, [12, 9, 6, 3])
    placement = METHODS["ward"].fit(points, {"k": 3}, config("ward"), 7)
    placed = placement.place(points)
    means = np.array([points[placed.number == number].mean(axis=0) for number in range(3)])
    assert placed.distance == pytest.approx(np.linalg.norm(points - means[placed.number], axis=1))
    back = restored(placement.kind, placement.arrays())
    assert (back.place(points).number == placed.number).all()
    assert (back.merges == placement.merges).all() and back.merges.shape == (29, 4)


def test_the_micro_clusters_of_everyone_are_cut_as_all_of_them_would_be(spark):
    points, groups = blobs(SEPARATED, [120, 90, 60, 30], spread=0.6)
    everyone = Everyone(vectors_of(spark, points), 300)
    few = config("ward", sample=100, fit_sample=200, micro_clusters=50)
    ((told, placement),) = METHODS["ward"].fit_everyone(everyone, {"k": 4}, few, 7).items()
    assert told.endswith("micro-clusters of 300 users")
    assert adjusted_rand_score(groups, placement.place(points).number) == 1.0
    assert METHODS["ward"].fit_everyone(everyone, {"k": 4}, config("ward"), 7) == {}
