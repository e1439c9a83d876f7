import numpy as np
from sklearn.cluster import BisectingKMeans
from sklearn.metrics import adjusted_rand_score

from segspark.segments.config import SchemeConfig
from segspark.segments.methods.bisecting import Bisecting
from segspark.segments.methods.method import Everyone
from tests.unit.segments.blobs import blobs, needs_wholesale, vectors_of, wholesale

CONFIG = SchemeConfig(algorithm="bisecting", starts=10)


@needs_wholesale
def test_wholesale_customers_are_cut_as_by_scikit_learn():
    points, channel = wholesale()
    theirs = BisectingKMeans(2, n_init=10, random_state=0).fit(points)
    ours = Bisecting().fit(points, {"k": 2}, CONFIG, 7).place(points).number
    assert adjusted_rand_score(channel, ours) >= adjusted_rand_score(channel, theirs.labels_) - 0.02
    assert adjusted_rand_score(theirs.labels_, ours) > 0.95


def test_the_nearest_of_the_means_costs_no_more_than_the_halving():
    points = np.random.default_rng(1).normal(size=(600, 4))
    theirs = BisectingKMeans(6, n_init=10, max_iter=50, random_state=7).fit(points)
    placed = Bisecting().fit(points, {"k": 6}, CONFIG, 7).place(points)
    assert placed.cost.sum() <= theirs.inertia_ * (1 + 1e-6)
    assert len(np.unique(placed.number)) == 6


def test_mllib_and_the_sample_find_the_groups_of_everyone(spark):
    points, groups = blobs([[0, 0], [5, 0], [0, 9]], [60, 50, 40])
    everyone = Everyone(vectors_of(spark, points), 150)
    full = Bisecting().fit_everyone(everyone, {"k": 3}, SchemeConfig(algorithm="bisecting", fit_starts=1), 7)
    few = SchemeConfig(algorithm="bisecting", fit="sample", fit_sample=100)
    sampled = Bisecting().fit_everyone(everyone, {"k": 3}, few, 7)
    assert (list(full), list(sampled)) == (["full, start 1"], ["sample of 100"])
    for placement in [*full.values(), *sampled.values()]:
        assert adjusted_rand_score(groups, placement.place(points).number) == 1.0
