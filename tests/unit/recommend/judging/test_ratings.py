import numpy as np
import pytest
from sklearn.metrics import mean_absolute_error, mean_squared_error

from segspark.recommend.config import RecommendConfig
from segspark.recommend.factors import fit_explicit
from segspark.recommend.judging.ratings import (
    around_expected,
    expected_ratings,
    predicted,
    rating_errors,
    with_expected,
)

PAIRS = "user_no int, item_no int, weight double"


def rated(taste=1.0):
    """40 users by 12 items around an item's own level; users of even and odd number like opposite items."""
    return {
        (user, item): 3 + item % 3 + taste * (1 if (user + item) % 2 else -1)
        for user in range(40)
        for item in range(12)
    }


def test_the_baseline_is_the_error_of_the_items_mean_and_als_finds_the_taste_beyond_it(spark):
    ratings = rated()
    held_out = {pair: value for pair, value in ratings.items() if sum(pair) % 5 == 0}
    known = {pair: value for pair, value in ratings.items() if pair not in held_out}
    train = spark.createDataFrame([(*pair, float(value)) for pair, value in known.items()], PAIRS)
    test = spark.createDataFrame([(*pair, float(value)) for pair, value in held_out.items()], PAIRS)
    expected = expected_ratings(train)
    config = RecommendConfig(rank=2, iterations=8, rating_reg_param=0.05)
    errors = predicted(fit_explicit(around_expected(train, expected), config, 2, 7), expected, test)
    found = rating_errors(errors, 50, 7)

    by_item = {item: np.mean([v for (_, i), v in known.items() if i == item]) for item in range(12)}
    truth, guess = list(held_out.values()), [by_item[item] for _, item in held_out]
    assert found["item_mean", "rmse"].value == pytest.approx(mean_squared_error(truth, guess) ** 0.5, abs=1e-6)
    assert found["item_mean", "mae"].value == pytest.approx(mean_absolute_error(truth, guess), abs=1e-6)
    assert found["als_explicit", "rmse"].value < 0.3 * found["item_mean", "rmse"].value


def test_what_to_expect_is_the_mean_and_the_shrunken_offsets_of_item_and_user(spark):
    """By hand: the mean of 5, 3 and 1 is 3; item 0 is off by (2 + 0) / (2 + 5), item 1 by -2 / (1 + 5)."""
    rows = [(0, 0, 5.0), (1, 0, 3.0), (1, 1, 1.0)]
    for partitions in (1, 3):
        train = spark.createDataFrame(rows, PAIRS).repartition(partitions)
        known = with_expected(train, expected_ratings(train)).collect()
        found = {(row.user_no, row.item_no): row.expected for row in known}
        items = {0: 2 / 7, 1: -2 / 6}
        users = {0: (2 - items[0]) / 6, 1: (0 - items[0] - 2 - items[1]) / 7}
        for (user, item), value in found.items():
            assert value == pytest.approx(3 + items[item] + users[user], abs=1e-6)
        assert {row.item_no: row.mean_rating for row in known} == {0: 4.0, 1: 1.0}


def test_errors_are_over_ratings_not_users_and_equal_scikit_learns(spark):
    rows = [(1, 1.0, 0.5), (1, -2.0, 0.0), (1, 0.5, 0.0), (2, 0.0, -3.0)]
    errors = spark.createDataFrame(rows, "user_no int, als_explicit double, item_mean double")
    found = rating_errors(errors, 50, 7)
    for place, name in enumerate(("als_explicit", "item_mean"), 1):
        off = [row[place] for row in rows]
        assert found[name, "rmse"].value == pytest.approx(mean_squared_error(off, [0] * 4) ** 0.5)
        assert found[name, "mae"].value == pytest.approx(mean_absolute_error(off, [0] * 4))
        assert found[name, "rmse"].users == 2
        assert found[name, "rmse"].low <= found[name, "rmse"].value <= found[name, "rmse"].high


def test_without_a_rating_there_is_no_error(spark):
    assert rating_errors(spark.createDataFrame([], "user_no int, als_explicit double, item_mean double"), 50, 7) == {}
