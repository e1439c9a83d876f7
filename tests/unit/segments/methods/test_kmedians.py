from itertools import combinations

import numpy as np
import pytest
from scipy.spatial.distance import cdist
from sklearn.cluster import KMeans as TheirKMeans
from sklearn.metrics import adjusted_rand_score

from segspark.segments.config import SchemeConfig
from segspark.segments.methods.kmedians import MEDIANS, KMedians
from segspark.segments.methods.lloyd import cost_of, descend, one_step, start_of
from segspark.segments.methods.method import Everyone
from segspark.segments.placements.centres import NearestMedian
from tests.unit.segments.blobs import blobs, needs_wholesale, vectors_of, wholesale

CONFIG = SchemeConfig(algorithm="kmedians", starts=10)


def test_the_nearest_median_is_that_of_scipy_by_manhattan_distance():
    random = np.random.default_rng(3)
    points, centres = random.normal(size=(500, 7)), random.normal(size=(6, 7))
    placed, distances = NearestMedian(centres).place(points), cdist(points, centres, "cityblock")
    by_distance = np.sort(distances, axis=1)
    assert (placed.number == distances.argmin(axis=1)).all()
    assert placed.distance == pytest.approx(by_distance[:, 0])
    assert placed.confidence == pytest.approx(1 - by_distance[:, 0] / by_distance[:, 1])


def test_on_a_line_the_cut_is_the_best_of_all_cuts():
    points = np.sort(np.random.default_rng(2).lognormal(sigma=1.5, size=15)).reshape(-1, 1)

    def cost(cuts):
        return sum(np.abs(part - np.median(part)).sum() for part in np.split(points, cuts))

    least = min(cost(cuts) for cuts in combinations(range(1, 15), 2))
    placed = KMedians().fit(points, {"k": 3}, SchemeConfig(algorithm="kmedians", starts=50), 7).place(points)
    assert placed.cost.sum() == pytest.approx(least, rel=1e-6)


@pytest.mark.parametrize("start", ["kmeans++", "random"])
def test_the_cost_never_rises_and_the_end_is_a_fixed_point(start):
    points = np.random.default_rng(5).normal(size=(1000, 10))
    config = SchemeConfig(algorithm="kmedians", start=start, tolerance=0, max_iter=500)
    centres = start_of(points, 3, MEDIANS, config, np.random.default_rng(7))
    costs = [cost_of(points, centres, MEDIANS)]
    for _ in range(20):
        centres = one_step(points, centres, MEDIANS)
        costs.append(cost_of(points, centres, MEDIANS))
    assert (np.diff(costs) <= 1e-9).all()
    end = descend(points, centres, MEDIANS, config)
    assert (one_step(points, end, MEDIANS) == end).all()


def test_a_centre_without_points_moves_to_the_point_that_costs_most():
    points = np.array([[0.0], [1.0], [10.0]])
    moved = one_step(points, np.array([[0.4], [-90.0]]), MEDIANS)
    assert moved.tolist() == [[1.0], [10.0]]


def test_far_users_move_medians_less_than_means():
    points, groups = blobs([[0, 0], [4, 0]], [200, 200], spread=0.5)
    points[:8] += [0, 60]
    ours = KMedians().fit(points, {"k": 2}, CONFIG, 7).place(points).number
    theirs = TheirKMeans(2, n_init=10, random_state=0).fit(points).labels_
    assert adjusted_rand_score(groups[8:], ours[8:]) > 0.95
    assert adjusted_rand_score(groups[8:], theirs[8:]) < 0.05


@needs_wholesale
def test_wholesale_customers_are_cut_as_by_the_best_of_fifty_plain_runs_over_scipys_distances():
    """scikit-learn has no K-medians."""
    points, channel = wholesale()
    random, runs = np.random.default_rng(0), []
    for _ in range(50):
        centres = points[random.choice(len(points), 2, replace=False)]
        for _ in range(100):
            label = cdist(points, centres, "cityblock").argmin(axis=1)
            centres = np.array([np.median(points[label == number], axis=0) for number in range(2)])
        distances = cdist(points, centres, "cityblock")
        runs.append((distances.min(axis=1).sum(), distances.argmin(axis=1)))
    least, theirs = min(runs, key=lambda run: run[0])
    ours = KMedians().fit(points, {"k": 2}, CONFIG, 7).place(points)
    assert ours.cost.sum() <= least * 1.001
    assert adjusted_rand_score(channel, ours.number) >= adjusted_rand_score(channel, theirs) - 0.02


def test_the_fit_for_everyone_is_one_of_users_chosen_by_hash(spark):
    points, groups = blobs([[0, 0], [5, 0], [0, 5]], [60, 50, 40])
    config = SchemeConfig(algorithm="kmedians", fit_sample=100)
    found = KMedians().fit_everyone(Everyone(vectors_of(spark, points), 150), {"k": 3}, config, 7)
    assert list(found) == ["sample of 100"]
    assert adjusted_rand_score(groups, found["sample of 100"].place(points).number) == 1.0
