import numpy as np
import pytest
from sklearn.cluster import DBSCAN, HDBSCAN
from sklearn.metrics import adjusted_rand_score
from sklearn.neighbors import NearestNeighbors

from segspark.segments.assign import assign
from segspark.segments.choice import best, try_candidates
from segspark.segments.config import SchemeConfig
from segspark.segments.fit import fit_scheme
from segspark.segments.methods import hdbscan
from segspark.segments.methods.dbscan import Dbscan, core_distances, dense_places, knee_of, labelled
from segspark.segments.methods.hdbscan import Hdbscan
from segspark.segments.methods.method import Everyone
from segspark.segments.micro import MicroClusters, micro_clusters
from tests.unit.segments.blobs import blobs, moons, needs_wholesale, rings, sample_of, vectors_of, wholesale

DENSE = SchemeConfig(algorithm="dbscan", splits=2)
LASTING = SchemeConfig(algorithm="hdbscan", splits=2)


def with_strays(points, count=40, seed=9):
    """The points, then strays all over their square and beyond."""
    low, high = points.min(axis=0) - 1, points.max(axis=0) + 1
    return np.vstack([points, np.random.default_rng(seed).uniform(low, high, size=(count, points.shape[1]))])


def chosen(method, points, config):
    return best(try_candidates(sample_of(points), method.candidates(config, points), config, 7))


@pytest.mark.parametrize("shape", [moons, rings])
def test_shapes_are_told_apart_at_a_distance_from_the_curve_as_by_scikit_learn(shape):
    points, groups = shape()
    found = chosen(Dbscan(), points, DENSE)
    theirs = DBSCAN(eps=found.params["eps"], min_samples=5).fit(points).labels_
    ours = adjusted_rand_score(groups, found.placement.place(points).number)
    assert ours >= adjusted_rand_score(groups, theirs) - 0.02
    assert (found.k, ours > 0.98) == (2, True)


@pytest.mark.parametrize("shape", [moons, rings])
def test_lasting_places_are_those_of_scikit_learn(shape):
    points, groups = shape()
    found = chosen(Hdbscan(), points, LASTING)
    least = round(found.params["least"] * len(points))
    theirs = HDBSCAN(min_cluster_size=least, min_samples=5, copy=True).fit(points).labels_
    ours = adjusted_rand_score(groups, found.placement.place(points).number)
    assert ours >= adjusted_rand_score(groups, theirs) - 0.02
    assert (found.k, ours > 0.98) == (2, True)


@needs_wholesale
def test_wholesale_customers_are_cut_as_by_scikit_learn():
    """Their channels are no dense places: what is held is the same method, not the truth."""
    points, channel = wholesale()
    for params in Dbscan().candidates(DENSE, points):
        found = Dbscan().fit(points, params, SchemeConfig(algorithm="dbscan", min_share=0), 7).place(points).number
        theirs = DBSCAN(eps=params["eps"], min_samples=5).fit(points).labels_
        assert adjusted_rand_score(theirs, found) == pytest.approx(1.0)
    theirs = HDBSCAN(min_cluster_size=9, min_samples=5, copy=True).fit(points).labels_
    ours = Hdbscan().fit(points, {"least": 9 / 440}, LASTING, 7).place(points).number
    assert adjusted_rand_score(channel, ours) >= adjusted_rand_score(channel, theirs) - 0.02


@pytest.mark.parametrize("shape", [moons, rings])
def test_three_thousand_users_as_four_hundred_micro_clusters_are_cut_as_in_full(shape):
    points, groups = shape(3000)
    config = SchemeConfig(algorithm="dbscan", splits=2, micro_clusters=400)
    found = chosen(Dbscan(), points, config)
    core = round(found.params["core"] * len(points))
    theirs = DBSCAN(eps=found.params["eps"], min_samples=core).fit(points).labels_
    ours = found.placement.place(points).number
    assert adjusted_rand_score(theirs, ours) >= 0.9
    assert adjusted_rand_score(groups, ours) >= adjusted_rand_score(groups, theirs) - 0.02


def test_a_fit_on_some_users_places_the_others_by_their_five_nearest(monkeypatch):
    points, _ = moons(2000)
    monkeypatch.setattr(hdbscan, "TRIED", 500)
    placement = Hdbscan().fit(points, {"least": 0.05}, LASTING, 7)
    assert (len(placement.points), placement.votes) == (500, 5)
    full = HDBSCAN(min_cluster_size=100, min_samples=5, copy=True).fit(points).labels_
    assert adjusted_rand_score(full, placement.place(points).number) >= 0.9


@pytest.mark.parametrize("method", [Dbscan(), Hdbscan()])
def test_strays_are_a_segment_of_their_own(method):
    points, _ = moons(1000)
    config = DENSE if isinstance(method, Dbscan) else LASTING
    found = chosen(method, with_strays(points), config)
    placed = found.placement.place(points).number
    strays = found.placement.place(np.array([[-1.9, 1.9], [3.0, 2.0]])).number
    assert (found.k, found.placement.noise, found.placement.segments) == (2, 2, 3)
    assert (placed == 2).mean() < 0.05
    assert strays.tolist() == [2, 2]


def test_core_distances_of_weighted_points_are_those_of_scikit_learns_neighbours_of_replicated_ones():
    random = np.random.default_rng(1)
    points, weights = random.normal(size=(60, 3)), random.integers(1, 5, size=60)
    users = np.repeat(points, weights, axis=0)
    theirs = NearestNeighbors(n_neighbors=9).fit(users).kneighbors(points)[0][:, -1]
    assert core_distances(MicroClusters(points, weights.astype(float)), 9) == pytest.approx(theirs)


def test_the_knee_is_where_a_flat_curve_turns_up_and_users_in_one_place_have_no_part():
    distances = np.concatenate([np.linspace(0.1, 0.2, 90), np.linspace(0.2, 5.0, 11)[1:], np.zeros(50)])
    assert knee_of(distances, np.ones(150)) == pytest.approx(0.2, abs=0.01)
    assert knee_of(np.zeros(3), np.ones(3)) == 1.0
    assert knee_of(np.full(3, 0.7), np.ones(3)) == pytest.approx(0.7)


def test_clusters_too_small_to_act_on_are_noise_and_where_nothing_is_dense_everyone_is_one_segment():
    points = np.arange(6.0).reshape(-1, 1)
    anchors = labelled(points, np.array([0, 0, 1, 2, 2, -1]), np.ones(6), 0.2)
    assert (anchors.labels.tolist(), anchors.noise) == ([0, 0, 2, 1, 1, 2], 2)
    nothing = labelled(points, np.full(6, -1), np.ones(6), 0.2)
    assert (nothing.labels.tolist(), nothing.noise) == ([0] * 6, None)
    all_dense = labelled(points, np.array([0, 0, 0, 1, 1, 1]), np.ones(6), 0.2)
    assert (all_dense.segments, all_dense.noise) == (2, None)


def test_a_share_makes_a_place_dense_however_many_users_stand_behind_the_points():
    points, _ = moons(600)
    micro = micro_clusters(points, 600, 7)
    params = {"eps": 0.15, "core": 5 / 600}
    once = dense_places(micro, params, DENSE)
    often = dense_places(MicroClusters(micro.points, micro.weights * 70), params, DENSE)
    assert (once.labels == often.labels).all()


def test_everyone_is_cut_and_noise_is_assigned_as_a_segment(spark):
    near, groups = blobs([[0, 0], [6, 0]], [160, 120], spread=0.3)
    points = with_strays(near, count=20)
    vectors = vectors_of(spark, points)
    config = SchemeConfig(algorithm="dbscan", splits=1, sample=150, fit_sample=200, micro_clusters=80, min_points=4)
    sample = sample_of(points[::2])
    tried = best(try_candidates(sample, Dbscan().candidates(config, sample.points), config, 7))
    fitted = fit_scheme(Everyone(vectors, 300), sample, tried, config, 7)
    noise = fitted.model.placement.noise
    segment = assign(vectors, fitted.model).orderBy("user_id").toPandas()["segment_id"].to_numpy()
    assert fitted.model.k == 3
    assert np.bincount(segment).tolist() == fitted.model.sizes.tolist()
    assert 8 <= fitted.model.sizes[noise] <= 30
    belongs = segment[:280] != noise
    assert adjusted_rand_score(groups[belongs], segment[:280][belongs]) > 0.98
