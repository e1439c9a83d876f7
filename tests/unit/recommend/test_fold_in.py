import numpy as np
import pytest

from segspark.recommend.config import RecommendConfig
from segspark.recommend.factors import factors_of, fit_explicit, fit_implicit
from segspark.recommend.fold_in import (
    Equations,
    NormalEquations,
    fold_in_items,
    fold_in_rated_items,
    fold_in_raters,
    fold_in_users,
)

CONFIG = RecommendConfig(rank=4, iterations=3, reg_param=0.3, rating_reg_param=0.2, alpha=2.0, item_block_rows=7)
USERS, ITEMS = 30, 20


@pytest.fixture(scope="module")
def weights():
    random = np.random.default_rng(3)
    return (random.random((USERS, ITEMS)) < 0.3) * random.integers(1, 6, (USERS, ITEMS)).astype(float)


@pytest.fixture(scope="module")
def pairs(spark, weights):
    rows = [(int(u), int(i), float(weights[u, i])) for u, i in zip(*np.nonzero(weights), strict=True)]
    return spark.createDataFrame(rows, "user_no int, item_no int, weight double").repartition(3).checkpoint()


@pytest.fixture(scope="module")
def implicit(pairs):
    return fit_implicit(pairs, CONFIG, blocks=2, seed=7)


@pytest.fixture(scope="module")
def explicit(pairs):
    return factors_of(fit_explicit(pairs, CONFIG, blocks=2, seed=7))


def vectors_of(frame):
    number = next(name for name in frame.columns if name != "factors")
    return {row[number]: np.array(row["factors"]) for row in frame.collect()}


def assert_same(found, expected):
    assert set(found) == set(expected)
    assert max(np.abs(found[number] - expected[number]).max() for number in expected) < 1e-4


def dense_answer(weights, vectors, alpha, reg_param):
    """Each row of `weights` against the rows of `vectors`, by the whole matrices."""
    solved = {}
    for number, row in enumerate(weights):
        used = row != 0
        extra = np.diag(alpha * row if alpha else used - 1.0)
        left = vectors.T @ (np.eye(len(row)) + extra) @ vectors + reg_param * used.sum() * np.eye(vectors.shape[1])
        right = vectors.T @ ((1 + alpha * row) * used if alpha else row)
        solved[number] = np.linalg.solve(left, right)
    return {number: solved[number] for number in np.flatnonzero(weights.any(axis=1))}


def matrix_of(frame):
    by_number = vectors_of(frame)
    return np.stack([by_number[number] for number in sorted(by_number)])


def test_every_users_vector_is_the_one_that_implicit_als_has(pairs, implicit):
    assert_same(vectors_of(fold_in_users(pairs, implicit.items, CONFIG)), vectors_of(implicit.users))


def test_every_raters_vector_is_the_one_that_explicit_als_has(pairs, explicit):
    assert_same(vectors_of(fold_in_raters(pairs, explicit.items, CONFIG)), vectors_of(explicit.users))


def test_items_are_those_of_a_dense_solve_against_the_users_vectors(pairs, weights, implicit, explicit):
    expected = dense_answer(weights.T, matrix_of(implicit.users), CONFIG.alpha, CONFIG.reg_param)
    assert_same(vectors_of(fold_in_items(pairs, implicit.users, CONFIG)), expected)
    expected = dense_answer(weights.T, matrix_of(explicit.users), None, CONFIG.rating_reg_param)
    assert_same(vectors_of(fold_in_rated_items(pairs, explicit.users, CONFIG)), expected)


def test_a_new_user_far_beyond_the_others_gets_the_vector_of_whoever_did_the_same(spark, pairs, implicit):
    twins = pairs.where("user_no = 4").selectExpr("2000000000 AS user_no", "item_no", "weight")
    twins = twins.unionByName(spark.createDataFrame([(7, 9_999, 1.0), (8, 2, 0.0)], twins.schema))
    found = vectors_of(fold_in_users(twins, implicit.items, CONFIG))
    assert_same(found, {2_000_000_000: vectors_of(implicit.users)[4]})  # 7 and 8 have nothing that counts


def test_how_the_pairs_are_partitioned_changes_no_bit(pairs, implicit):
    first, second = (
        vectors_of(fold_in_users(each, implicit.items, CONFIG))
        for each in (pairs.coalesce(1), pairs.orderBy("weight", "item_no").repartition(5))
    )
    assert all(np.array_equal(first[number], second[number]) for number in first)


def test_a_user_who_touched_everything_is_solved_like_any_other():
    random = np.random.default_rng(2)
    vectors = random.normal(size=(5000, 32)).astype(np.float32)
    weights = np.zeros((3, 5000))
    weights[1], weights[2, 17] = random.integers(1, 4, 5000), 2
    column, row = np.nonzero(weights.T)
    system = NormalEquations(row, column, weights[row, column], Equations(32, 0.2, 0.3, 4096))
    for first in range(0, 5000, 4096):
        system.add(np.arange(first, min(first + 4096, 5000)), vectors[first : first + 4096])
    numbers, factors = system.solve()
    assert_same(dict(zip(numbers, factors, strict=True)), dense_answer(weights, vectors.astype(float), 0.3, 0.2))


def test_without_regularisation_too_few_ratings_give_the_shortest_vector_that_fits():
    vectors = np.random.default_rng(4).normal(size=(2, 5)).astype(np.float32)
    system = NormalEquations(np.zeros(2, int), np.arange(2), np.array([1.0, -2.0]), Equations(5, 0.0, None, 4096))
    system.add(np.arange(2), vectors)
    assert system.solve()[1][0] == pytest.approx(np.linalg.pinv(vectors) @ [1.0, -2.0], abs=1e-5)
