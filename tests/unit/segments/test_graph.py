"""Spectral embeddings against numpy and scikit-learn on planted communities."""

import numpy as np
import pytest
from pyspark.sql import functions as F
from scipy.linalg import subspace_angles
from sklearn.cluster import KMeans, SpectralClustering
from sklearn.metrics import adjusted_rand_score

from segspark.segments.graph import _leading_columns, drawn_columns, embed, neighbour_pairs, scaled_cells

LISTS = "user_id string, neighbours array<struct<neighbour_id:string,similarity:double>>"


def similarity_of(spark, lists):
    """user_similarity from {user: {neighbour: similarity}}."""
    return spark.createDataFrame([(user, list(near.items())) for user, near in lists.items()], LISTS)


def planted_lists(sizes, strength, seed=3, neighbours=12):
    """Noisy communities: cosine of random baskets, whose items are the community's own with a probability."""
    random = np.random.default_rng(seed)
    groups = random.permutation(np.repeat(np.arange(len(sizes)), sizes))
    items, own = 30 * len(sizes), 30
    baskets = np.zeros((len(groups), items))
    for row, group in enumerate(groups):
        picked = np.where(
            random.random(15) < strength, group * own + random.integers(0, own, 15), random.integers(0, items, 15)
        )
        np.add.at(baskets[row], picked, 1)
    length = np.linalg.norm(baskets, axis=1)
    cosine = np.round(baskets @ baskets.T / np.outer(length, length), 10)
    np.fill_diagonal(cosine, 0)
    lists = {}
    for row, values in enumerate(cosine):
        best = [other for other in np.argsort(-values, kind="stable")[:neighbours] if values[other] > 0]
        lists[f"u{row:03d}"] = {f"u{other:03d}": float(values[other]) for other in best}
    return lists, groups


def affinity_of(lists):
    """The same graph by numpy: the greater similarity of both directions, in the order of the users' ids."""
    number = {user: place for place, user in enumerate(sorted(lists))}
    directed = np.zeros((len(lists), len(lists)))
    for user, near in lists.items():
        for other, value in near.items():
            directed[number[user], number[other]] = value
    return np.maximum(directed, directed.T)


def scaled(affinity):
    degree = affinity.sum(axis=1)
    return affinity / np.sqrt(np.outer(degree, degree))


def places_of(frame):
    rows = frame.orderBy("user_id").collect()
    return np.array([row.features for row in rows]), [row.user_id for row in rows]


@pytest.fixture(scope="module")
def planted(spark):
    """Five communities of 500 users, told apart by seven picks in ten; lists, groups and places."""
    lists, groups = planted_lists([140, 120, 100, 80, 60], 0.7)
    return lists, groups, *places_of(embed(similarity_of(spark, lists).repartition(3), 5, 7))


def test_places_are_rows_of_the_leading_eigenvectors(planted):
    lists, _, places, users = planted
    assert users == sorted(lists)
    values, vectors = np.linalg.eigh(scaled(affinity_of(lists)))
    assert values[-5] - values[-6] > 0.1, "the fifth eigenvalue stands apart, or the subspace is not to be told"
    rows = vectors[:, -5:] / np.linalg.norm(vectors[:, -5:], axis=1)[:, None]
    np.testing.assert_allclose(np.linalg.norm(places, axis=1), 1, atol=1e-6)
    np.testing.assert_allclose(places @ places.T, rows @ rows.T, atol=1e-3)


@pytest.mark.slow
def test_the_columns_span_the_space_of_numpys_eigenvectors(spark, planted):
    lists = planted[0]
    cells = scaled_cells(neighbour_pairs(similarity_of(spark, lists))).checkpoint()
    found = _leading_columns(cells, drawn_columns(cells, 9, 7), len(lists), 5).orderBy("user_id").toPandas()
    _, vectors = np.linalg.eigh(scaled(affinity_of(lists)))
    assert subspace_angles(found.iloc[:, 1:6].to_numpy(), vectors[:, -5:]).max() < 1e-3
    np.testing.assert_allclose(found["c0"] ** 2, vectors[:, -1] ** 2 * len(lists), atol=1e-3)


def test_k_means_finds_the_planted_communities_as_scikit_learns_spectral_clustering_does(planted):
    lists, groups, places, _ = planted
    ours = KMeans(5, n_init=10, random_state=1).fit_predict(places)
    theirs = SpectralClustering(5, affinity="precomputed", n_init=10, random_state=1).fit_predict(affinity_of(lists))
    assert adjusted_rand_score(groups, ours) >= 0.95
    assert adjusted_rand_score(groups, ours) >= adjusted_rand_score(groups, theirs) - 0.02


@pytest.mark.slow
def test_neither_order_nor_partitions_change_a_bit_of_a_place(spark, planted):
    lists, _, places, _ = planted
    setting, few = "spark.sql.shuffle.partitions", spark.conf.get("spark.sql.shuffle.partitions")
    spark.conf.set(setting, "8")
    try:
        scattered = similarity_of(spark, lists).repartition(8, F.rand(5))
        np.testing.assert_array_equal(places_of(embed(scattered, 5, 7))[0], places)
    finally:
        spark.conf.set(setting, few)


def test_a_pair_counts_once_by_its_greater_similarity_and_pairs_that_differ_not_at_all(spark):
    lists = {"a": {"b": 0.5, "c": -0.2, "a": 1.0}, "b": {"a": 0.75}, "c": {"d": 0.0}, "d": {"b": 0.1}}
    pairs = {
        (row.user_id, row.neighbour_id): row.weight for row in neighbour_pairs(similarity_of(spark, lists)).collect()
    }
    assert pairs == {("a", "b"): 0.75, ("b", "a"): 0.75, ("b", "d"): 0.1, ("d", "b"): 0.1}


@pytest.mark.slow
def test_users_in_pieces_that_nothing_joins_stand_at_right_angles(spark):
    """Two triangles: two eigenvalues of 1, and everyone of a triangle in one place."""
    triangles = {f"{t}{n}": {f"{t}{m}": 0.5 for m in range(3) if m != n} for t in "ab" for n in range(3)}
    places, _ = places_of(embed(similarity_of(spark, triangles), 2, 7))
    np.testing.assert_allclose(places @ places.T, np.kron(np.eye(2), np.ones((3, 3))), atol=1e-6)


@pytest.mark.slow
def test_fewer_users_than_columns_have_as_many_columns_as_users_and_nobody_has_none(spark):
    places, users = places_of(embed(similarity_of(spark, {"a": {"b": 0.5}}), 10, 7))
    assert users == ["a", "b"] and places.shape[1] <= 2 and np.isfinite(places).all()
    assert embed(similarity_of(spark, {"a": {}}), 10, 7).isEmpty()
