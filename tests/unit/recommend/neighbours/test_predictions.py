import numpy as np
import pytest

from segspark.recommend.neighbours.measures import Measure
from segspark.recommend.neighbours.predictions import predict_ratings
from segspark.recommend.similarity import nearest_rows
from tests.unit.recommend.neighbours import dense

USERS, ITEMS, NEIGHBOURS = 12, 9, 4
RANDOM = np.random.default_rng(5)
VALUES = RANDOM.integers(1, 6, (USERS, ITEMS)).astype(float)
SEEN = RANDOM.random((USERS, ITEMS)) < 0.5
SEEN[3] = False  # a user who rated nothing
SEEN[:, 7] = False  # an item that nobody rated
VALUES[5] = 4  # all ratings equal: no correlation with anybody
SEEN[5, 0] = True


def ratings_of(spark, partitions=2):
    rows = [(int(u), int(i), VALUES[u, i].item()) for u, i in zip(*SEEN.nonzero(), strict=True)]
    return spark.createDataFrame(rows, "user_no int, item_no int, weight double").repartition(partitions)


def every_pair(spark):
    return spark.createDataFrame([(u, i) for u in range(USERS) for i in range(ITEMS)], "user_no int, item_no int")


def predicted(spark, ratings, row, column, size=(USERS, ITEMS)):
    near = nearest_rows(ratings, row, column, *size, 5, NEIGHBOURS, Measure("pearson"))
    found = predict_ratings(every_pair(spark), ratings, near, row, column).collect()
    return {(each.user_no, each.item_no): each.prediction for each in found}


def dense_answer(values, seen):
    """Rows' predictions of columns, one by one."""
    near = {}
    for row, _, other, similar in dense.neighbours(dense.similarity(values, seen, "pearson"), NEIGHBOURS, True):
        near.setdefault(row, []).append((other, similar))
    expected = {}
    for row in np.flatnonzero(seen.any(axis=1)):
        for column in range(values.shape[1]):
            votes = [
                (s, values[n, column] - values[n, seen[n]].mean()) for n, s in near.get(row, []) if seen[n, column]
            ]
            shift = sum(s * d for s, d in votes) / sum(abs(s) for s, _ in votes) if votes else 0
            expected[row, column] = values[row, seen[row]].mean() + shift
    return expected


def test_predictions_by_users_are_those_of_a_dense_computation(spark):
    found = predicted(spark, ratings_of(spark), "user_no", "item_no")
    assert found == pytest.approx(dense_answer(VALUES, SEEN), abs=1e-8)


def test_predictions_by_items_are_those_of_a_dense_computation(spark):
    found = predicted(spark, ratings_of(spark), "item_no", "user_no", (ITEMS, USERS))
    expected = {(user, item): value for (item, user), value in dense_answer(VALUES.T, SEEN.T).items()}
    assert found == pytest.approx(expected, abs=1e-8)


def test_who_rated_nothing_has_no_prediction_and_who_is_like_nobody_has_the_own_mean(spark):
    found = predicted(spark, ratings_of(spark), "user_no", "item_no")
    assert 3 not in {user for user, _ in found}
    assert {found[5, item] for item in range(ITEMS)} == {4.0}
    assert found[0, 7] == pytest.approx(VALUES[0, SEEN[0]].mean())


def test_ratings_that_are_not_finite_are_left_out_and_partitions_change_no_bit(spark):
    plain = predicted(spark, ratings_of(spark, 1), "user_no", "item_no")
    odd = [(0, int(np.flatnonzero(~SEEN[0])[0]), float("nan")), (3, 2, float("inf")), (3, 1, float("nan"))]
    spoilt = ratings_of(spark, 4).unionByName(spark.createDataFrame(odd, "user_no int, item_no int, weight double"))
    assert predicted(spark, spoilt, "user_no", "item_no") == plain
