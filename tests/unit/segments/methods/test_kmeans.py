import numpy as np
import pytest
from scipy.spatial.distance import cdist
from sklearn.cluster import KMeans as TheirKMeans
from sklearn.metrics import adjusted_rand_score

from segspark.segments.config import SchemeConfig
from segspark.segments.geometry import nearest
from segspark.segments.methods.cosine import cosine_distances, fit_directions
from segspark.segments.methods.kmeans import KMeans, fit_centres
from segspark.segments.methods.method import Everyone
from segspark.segments.placements.centres import NearestDirection
from tests.unit.segments.blobs import blobs, needs_wholesale, vectors_of, wholesale

CONFIG = SchemeConfig(starts=10)
FIVE_USERS = [[25, 5000, 10], [35, 7000, 12], [22, 4500, 11], [40, 8000, 15], [30, 6000, 10]]
COSINE = SchemeConfig(distance="cosine", starts=5)


def labels(points, k, config=CONFIG, seed=7):
    return KMeans().fit(np.asarray(points, dtype=float), {"k": k}, config, seed).place(np.asarray(points)).number


def test_five_users_fall_into_the_two_groups_that_scikit_learn_finds():
    theirs = TheirKMeans(2, n_init=10, random_state=0).fit(FIVE_USERS)
    assert adjusted_rand_score(theirs.labels_, labels(FIVE_USERS, 2)) == 1.0


def test_five_points_on_a_line_end_in_one_of_two_mirror_optima_the_same_for_a_seed():
    """Standardised, 2 and 3 neighbours of five cost 0.5 + 2 in units of two features' steps: 2.5 in all."""
    points = np.array([[1, 2], [3, 4], [5, 6], [7, 8], [9, 10]], dtype=float)
    points = (points - points.mean(axis=0)) / points.std(axis=0)
    centres = fit_centres(points, 2, CONFIG, 7)
    assert nearest(points, centres).first.sum() == pytest.approx(2.5)
    assert (fit_centres(points, 2, CONFIG, 7) == centres).all()
    assert sorted(np.bincount(nearest(points, centres).label)) == [2, 3]


@pytest.mark.parametrize("start", ["kmeans++", "random"])
def test_the_cost_of_a_thousand_users_never_rises_and_the_end_is_a_fixed_point(start):
    points = np.random.default_rng(5).uniform(size=(1000, 10))
    ends = []
    for iterations in range(1, 60):
        config = SchemeConfig(starts=1, start=start, max_iter=iterations, tolerance=0)
        ends.append(fit_centres(points, 3, config, 7))
    costs = [nearest(points, centres).first.sum() for centres in ends]
    assert (np.diff(costs) <= 1e-9).all()
    assert costs[0] > costs[-1]
    label = nearest(points, ends[-1]).label
    means = np.array([points[label == number].mean(axis=0) for number in range(3)])
    assert ends[-1] == pytest.approx(means, abs=1e-12)


@needs_wholesale
def test_wholesale_customers_are_cut_as_by_scikit_learn():
    points, channel = wholesale()
    theirs = TheirKMeans(2, n_init=10, random_state=0).fit(points)
    ours = adjusted_rand_score(channel, labels(points, 2))
    assert ours >= adjusted_rand_score(channel, theirs.labels_) - 0.02
    assert ours == pytest.approx(0.39, abs=0.02)


def test_directions_are_told_apart_whatever_the_lengths():
    units, groups = blobs(np.eye(3), [100, 80, 60], spread=0.08)
    points = units * np.random.default_rng(1).lognormal(sigma=1.5, size=(240, 1))
    found = KMeans().fit(points, {"k": 3}, COSINE, 7).place(points)
    assert adjusted_rand_score(groups, found.number) == 1.0
    assert adjusted_rand_score(groups, labels(points, 3)) < 0.5


def test_cosine_distance_and_the_nearest_direction_are_those_of_scipy():
    random = np.random.default_rng(3)
    points, centres = random.normal(size=(300, 6)), random.normal(size=(4, 6))
    placement = NearestDirection(centres / np.linalg.norm(centres, axis=1, keepdims=True), 0)
    placed, distances = placement.place(points), cdist(points, centres, "cosine")
    assert (placed.number == distances.argmin(axis=1)).all()
    assert placed.distance == pytest.approx(distances.min(axis=1))


def test_a_spherical_fit_ends_in_a_fixed_point():
    points = np.random.default_rng(4).normal(size=(400, 3))
    placement = fit_directions(points, 3, SchemeConfig(distance="cosine", tolerance=0, max_iter=300), 7)
    units = points / np.linalg.norm(points, axis=1, keepdims=True)
    label = cosine_distances(units, placement.centres).argmin(axis=0)
    sums = np.array([units[label == number].sum(axis=0) for number in range(3)])
    assert placement.centres == pytest.approx(sums / np.linalg.norm(sums, axis=1, keepdims=True), abs=1e-6)


def test_zero_vectors_go_together_without_confidence_and_stay_together_when_segments_are_reordered():
    points, _ = blobs(np.eye(3), [30, 20, 10], spread=0.05)
    points[[3, 8, 11]] = 0.0
    placement = KMeans().fit(points, {"k": 3}, COSINE, 7)
    placed, turned = placement.place(points), placement.reordered(np.array([2, 0, 1])).place(points)
    assert placed.confidence[[3, 8, 11]].tolist() == [0.0] * 3
    assert placed.distance[[3, 8, 11]].tolist() == [1.0] * 3
    assert len(set(placed.number[[3, 8, 11]])) == 1
    assert adjusted_rand_score(placed.number, turned.number) == 1.0


def test_nothing_but_zero_vectors_is_one_segment():
    placement = fit_directions(np.zeros((5, 2)), 3, COSINE, 7)
    assert placement.place(np.zeros((5, 2))).number.tolist() == [0] * 5


def test_mllib_by_cosine_finds_the_directions_of_everyone_and_no_zero_vector_stops_it(spark):
    units, groups = blobs(np.eye(3), [60, 50, 40], spread=0.08)
    points = units * np.random.default_rng(1).lognormal(sigma=1.0, size=(150, 1))
    points[:2] = 0.0
    config = SchemeConfig(distance="cosine", fit_starts=3)
    found = KMeans().fit_everyone(Everyone(vectors_of(spark, points), 150), {"k": 3}, config, 7)
    placement = min(found.values(), key=lambda end: end.place(points).cost.mean())
    assert adjusted_rand_score(groups[2:], placement.place(points).number[2:]) == 1.0
