"""A published 5 x 5 table of ratings, complete: users A to E in rows, items 1 to 5 in columns."""

from itertools import permutations
from math import sqrt

import numpy as np
import pytest
from scipy.spatial.distance import cosine
from scipy.stats import pearsonr

from segspark.recommend.neighbours.lists import user_cf_lists
from segspark.recommend.neighbours.measures import Measure
from segspark.recommend.neighbours.predictions import predict_ratings
from segspark.recommend.similarity import nearest_rows
from segspark.recommend.topn import ListPlan, leave_out_from

TABLE = np.array([[5, 3, 4, 2, 5], [4, 4, 3, 4, 5], [3, 3, 2, 3, 3], [5, 2, 5, 4, 3], [4, 5, 5, 3, 4]], float)
ORACLES = {"cosine": lambda x, y: 1 - cosine(x, y), "pearson": lambda x, y: pearsonr(x, y).statistic}


@pytest.fixture(scope="module")
def ratings(spark):
    rows = [(user, item, TABLE[user, item].item(), 1) for user in range(5) for item in range(5)]
    return spark.createDataFrame(rows, "user_no int, item_no int, weight double, action int")


def near_users(ratings, name, size=4):
    return nearest_rows(ratings, "user_no", "item_no", 5, 5, 2, size, Measure(name))


@pytest.mark.parametrize("name", ORACLES)
@pytest.mark.parametrize("of", ["users", "items"])
def test_similarities_of_users_and_items_are_those_of_scipy(ratings, name, of):
    table, row, column = (TABLE, "user_no", "item_no") if of == "users" else (TABLE.T, "item_no", "user_no")
    found = nearest_rows(ratings, row, column, 5, 5, 2, 4, Measure(name)).collect()
    pairs = {(each.row_no, each.neighbour_no): each.similarity for each in found}
    expected = {(x, y): ORACLES[name](table[x], table[y]) for x, y in permutations(range(5), 2)}
    assert all(abs(expected[pair]) < 1e-15 for pair in set(expected) - set(pairs))  # a similarity of 0 is no neighbour
    assert pairs == pytest.approx({pair: expected[pair] for pair in pairs}, abs=1e-9)


def test_a_is_recommended_what_the_two_nearest_users_rate_highest(ratings):
    """By hand: A.A = 79, B.B = 82, E.E = 91, A.B = 77, A.E = 81; C and D are at .943 and .937, so further away."""
    near_b, near_e = 77 / sqrt(79 * 82), 81 / sqrt(79 * 91)  # .9567 and .9553
    plan = ListPlan(5, 5, leave_out_from(False, "touched"), explain=False, user_block_rows=2, item_block_rows=3)
    nobody = ratings.select("item_no").where("false")
    rows = user_cf_lists(ratings, near_users(ratings, "cosine", size=2), nobody, 5, plan).where("user_no = 0").collect()
    listed = {row.item_no + 1: row.score for row in sorted(rows, key=lambda row: row["rank"])}
    assert list(listed) == [5, 2, 1, 3, 4]
    expected = {5: (5, 4), 2: (4, 5), 1: (4, 4), 3: (3, 5), 4: (4, 3)}  # what B and E gave
    assert listed == pytest.approx({item: b * near_b + e * near_e for item, (b, e) in expected.items()}, abs=1e-8)


def test_a_s_ratings_are_predicted_around_the_means(ratings):
    """By hand: means A 3.8, B 4, E 4.2; A's correlation with B is 1 / sqrt(13.6), with E 1.2 / sqrt(19.04)."""
    near_b, near_e = 1 / sqrt(13.6), 1.2 / sqrt(19.04)  # .2712 and .2750; D has .2647, C is below 0
    near = near_users(ratings, "pearson", size=2)
    found = predict_ratings(ratings.where("user_no = 0"), ratings, near, "user_no", "item_no").collect()
    distances = [(0, -0.2), (0, 0.8), (-1, 0.8), (0, -1.2), (1, -0.2)]  # of B's and E's ratings from their means
    expected = {i: 3.8 + (b * near_b + e * near_e) / (near_b + near_e) for i, (b, e) in enumerate(distances)}
    assert {row.item_no: row.prediction for row in found} == pytest.approx(expected, abs=1e-8)
    assert expected[4] == pytest.approx(4.1958, abs=1e-4)
