import numpy as np
import pytest
from scipy.stats import multivariate_normal
from sklearn.metrics import adjusted_rand_score
from sklearn.mixture import GaussianMixture

from segspark.segments.config import SchemeConfig
from segspark.segments.methods.kmeans import KMeans
from segspark.segments.methods.method import Everyone
from segspark.segments.methods.mixture import Mixture
from segspark.segments.placement import restored
from segspark.segments.placements.mixture import LikeliestComponent, cholesky
from tests.unit.segments.blobs import needs_wholesale, vectors_of, wholesale

CONFIG = SchemeConfig(algorithm="mixture", starts=10)


def bar_and_ball(users=400, seed=2):
    """A long bar and a ball above its middle: K-Means gives a piece of the bar to the ball."""
    random = np.random.default_rng(seed)
    groups = random.integers(0, 2, size=users)
    bar = random.normal(size=(users, 2)) * [3.0, 0.2]
    ball = random.normal(size=(users, 2)) * 0.4 + [0.0, 2.5]
    return np.where(groups[:, None] == 1, ball, bar).astype(np.float32).astype(np.float64), groups


def covariances(random, components, features):
    factors = random.normal(size=(components, features, features))
    return factors @ factors.transpose(0, 2, 1) + 0.1 * np.eye(features)


def test_membership_and_cost_are_those_of_scipys_densities():
    random = np.random.default_rng(3)
    shares, means, spread = np.array([0.5, 0.3, 0.2]), random.normal(size=(3, 4)), covariances(random, 3, 4)
    points = random.normal(size=(200, 4)) * 2
    normals = [multivariate_normal(mean, wide) for mean, wide in zip(means, spread, strict=True)]
    joint = np.array([share * normal.pdf(points) for share, normal in zip(shares, normals, strict=True)])
    placed = LikeliestComponent(shares, means, spread).place(points)
    assert (placed.number == joint.argmax(axis=0)).all()
    assert placed.confidence == pytest.approx(joint.max(axis=0) / joint.sum(axis=0))
    assert placed.cost == pytest.approx(-np.log(joint.sum(axis=0)))
    gaps = points - means[placed.number]
    squares = np.einsum("ni,nij,nj->n", gaps, np.linalg.inv(spread)[placed.number], gaps)
    assert placed.distance == pytest.approx(np.sqrt(squares))


def test_a_user_has_the_same_numbers_in_whatever_batch():
    random = np.random.default_rng(3)
    placement = LikeliestComponent(np.array([0.6, 0.4]), random.normal(size=(2, 5)), covariances(random, 2, 5))
    points = random.normal(size=(500, 5))
    whole = placement.place(points)
    parts = [placement.place(points[start : start + 37]) for start in range(0, 500, 37)]
    for name in whole._fields:
        assert (np.concatenate([getattr(part, name) for part in parts]) == getattr(whole, name)).all()


def test_a_user_far_from_every_component_is_still_placed():
    placement = LikeliestComponent(np.array([0.5, 0.5]), np.array([[0.0], [1.0]]), np.ones((2, 1, 1)))
    placed = placement.place(np.array([[1e6], [-1e6]]))
    assert placed.number.tolist() == [1, 0]
    assert np.isfinite(placed.cost).all()
    assert placed.confidence.tolist() == [1.0, 1.0]


def test_a_singular_covariance_is_widened_and_a_broken_one_refused():
    flat = np.array([[1.0, 1.0], [1.0, 1.0]])
    lower = cholesky(flat)
    assert lower @ lower.T == pytest.approx(flat, abs=1e-6)
    with pytest.raises(ValueError, match="not finite"):
        cholesky(np.array([[np.nan]]))


def test_a_bar_and_a_ball_are_told_apart_as_by_scikit_learn():
    points, groups = bar_and_ball()
    ours = Mixture().fit(points, {"k": 2}, CONFIG, 7)
    theirs = GaussianMixture(2, n_init=10, random_state=0).fit(points)
    found = adjusted_rand_score(groups, ours.place(points).number)
    assert found >= adjusted_rand_score(groups, theirs.predict(points)) - 0.02
    assert ours.place(points).cost.mean() <= -theirs.score(points) + 0.01
    assert found > 0.95
    assert adjusted_rand_score(groups, KMeans().fit(points, {"k": 2}, CONFIG, 7).place(points).number) < 0.6


@needs_wholesale
def test_wholesale_customers_are_cut_as_by_scikit_learn():
    points, channel = wholesale()
    theirs = GaussianMixture(2, n_init=10, random_state=0).fit(points)
    placed = Mixture().fit(points, {"k": 2}, CONFIG, 7).place(points)
    assert adjusted_rand_score(channel, placed.number) >= adjusted_rand_score(channel, theirs.predict(points)) - 0.02
    assert placed.cost.mean() <= -theirs.score(points) + 0.02


def test_columns_that_say_the_same_and_users_who_are_the_same_do_not_stop_the_fit():
    values = np.repeat([0.0, 1.0, 5.0], 40)
    points = np.column_stack([values, values, np.zeros(120)])
    placed = Mixture().fit(points, {"k": 3}, CONFIG, 7).place(points)
    assert adjusted_rand_score(values, placed.number) == 1.0
    assert np.isfinite(placed.cost).all()


def test_a_mixture_comes_back_from_its_arrays_and_can_be_reordered():
    points, _ = bar_and_ball()
    placement = Mixture().fit(points, {"k": 2}, CONFIG, 7)
    back = restored(placement.kind, placement.arrays()).reordered(np.array([1, 0]))
    assert (back.place(points).number == 1 - placement.place(points).number).all()


def test_mllib_finds_the_bar_and_the_ball_of_everyone(spark):
    points, groups = bar_and_ball()
    config = SchemeConfig(algorithm="mixture", fit_starts=2)
    found = Mixture().fit_everyone(Everyone(vectors_of(spark, points), 400), {"k": 2}, config, 7)
    best = min(found.values(), key=lambda placement: placement.place(points).cost.mean())
    assert adjusted_rand_score(groups, best.place(points).number) > 0.9
