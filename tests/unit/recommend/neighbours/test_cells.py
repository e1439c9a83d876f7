"""Neighbours in cells, against every user by scikit-learn."""

import numpy as np
import pytest
from sklearn.neighbors import NearestNeighbors

from segspark.recommend.neighbours.cells import Cells, find_cells, nearest_in_cells, recall, unit_rows

USERS, RANK, NEIGHBOURS, SEED = 600, 8, 10, 7


def clustered(users=USERS, groups=30, spread=0.25, seed=3):
    random = np.random.default_rng(seed)
    centres = random.normal(size=(groups, RANK))
    return (centres[random.integers(groups, size=users)] + spread * random.normal(size=(users, RANK))).astype("float32")


def vectors_of(spark, points, partitions=3):
    rows = [(number, point.tolist()) for number, point in enumerate(points)]
    return spark.createDataFrame(rows, "user_no int, factors array<float>").repartition(partitions)


def found_by(spark, points, cells, partitions=3):
    near = nearest_in_cells(vectors_of(spark, points, partitions), cells, NEIGHBOURS, SEED).collect()
    rows = sorted((row.row_no, row["rank"], row.neighbour_no, row.similarity) for row in near)
    assert len({row[:2] for row in rows}) == len(rows)
    return rows


def exact(points, neighbours=NEIGHBOURS):
    """Each user's similarities to the nearest others, best first, by scikit-learn."""
    search = NearestNeighbors(n_neighbors=neighbours + 1, metric="cosine", algorithm="brute").fit(points)
    distances, _ = search.kneighbors(points)
    return 1 - distances[:, 1:]


def cells_of(spark, points, probed, count=20):
    return find_cells(vectors_of(spark, points), len(points), count, probed, SEED)


def test_with_every_cell_probed_the_answer_is_the_exact_one(spark):
    points = clustered()
    cells = cells_of(spark, points, 20)
    rows = found_by(spark, points, cells)
    similar = np.array([row[3] for row in rows]).reshape(USERS, NEIGHBOURS)
    assert np.allclose(similar, exact(points), atol=2e-6)
    unit = unit_rows(points).astype(float)
    for user, rank, neighbour, similarity in rows[:: 7 * NEIGHBOURS + 1]:
        assert user != neighbour and 1 <= rank <= NEIGHBOURS
        assert similarity == pytest.approx(unit[user] @ unit[neighbour], abs=2e-6)
    vectors = vectors_of(spark, points)
    near = nearest_in_cells(vectors, cells, NEIGHBOURS, SEED)
    assert recall(vectors, near, USERS, NEIGHBOURS, 50, SEED) == 1.0


def test_a_few_cells_find_most_and_the_recall_is_what_counting_says(spark):
    points = clustered(spread=0.8)
    cells = cells_of(spark, points, 6)
    vectors = vectors_of(spark, points)
    near = nearest_in_cells(vectors, cells, NEIGHBOURS, SEED)
    told = recall(vectors, near, USERS, NEIGHBOURS, USERS, SEED)
    last = exact(points)[:, -1]
    rows = near.collect()
    counted = sum(row.similarity >= last[row.row_no] - 2e-6 for row in rows) / (USERS * NEIGHBOURS)
    assert told == pytest.approx(counted, abs=1e-3)
    assert 0.8 <= told < 1


def test_the_same_neighbours_however_the_users_are_spread(spark):
    points = clustered()
    cells = [find_cells(vectors_of(spark, points, parts), USERS, 20, 3, SEED) for parts in (1, 5)]
    assert np.array_equal(cells[0].centres, cells[1].centres)
    assert found_by(spark, points, cells[0], 1) == found_by(spark, points, cells[0], 5)


def test_of_users_who_are_all_alike_the_lowest_numbers_are_taken(spark):
    points = np.ones((40, RANK), "float32")
    rows = found_by(spark, points, cells_of(spark, points, 4))
    assert {similarity for *_, similarity in rows} == {1.0}
    first = list(range(NEIGHBOURS + 1))
    for user in (0, 3, 39):
        own = [neighbour for number, _, neighbour, _ in rows if number == user]
        assert own == [number for number in first if number != user][:NEIGHBOURS]


def test_a_cell_with_too_many_members_is_searched_in_parts(spark):
    points = clustered(users=200, groups=1)
    whole = cells_of(spark, points, 1, count=1)
    parts = Cells(whole.centres, 1, most=50)
    asked = {row[0] for row in found_by(spark, points, parts)}
    vectors = vectors_of(spark, points)
    told = recall(vectors, nearest_in_cells(vectors, parts, NEIGHBOURS, SEED), 200, NEIGHBOURS, 200, SEED)
    assert len(asked) == 200
    assert 0.1 < told < 0.6  # a quarter of the others are met


def test_a_user_without_direction_and_one_who_is_alone_have_no_neighbours(spark):
    points = np.zeros((4, RANK), "float32")
    points[0, 0] = points[1, 0] = 1
    points[2, 0] = -1
    rows = found_by(spark, points, cells_of(spark, points, 4, count=4))
    assert [row[:3] for row in rows] == [(0, 1, 1), (1, 1, 0)]
