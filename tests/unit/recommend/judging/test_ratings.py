import numpy as np
import pytest
from sklearn.metrics import mean_absolute_error, mean_squared_error

from segspark.core.contracts import RATINGS
from segspark.recommend.config import RecommendConfig
from segspark.recommend.factors import arranged, fit_explicit
from segspark.recommend.judging.ratings import (
    around_expected,
    last_ratings_of_parts,
    mean_rating,
    predicted,
    rating_errors,
    with_expected,
)
from tests.builders import at, day, rows_of

PAIRS = "user_no int, item_no int, weight double, tested double"


def rated(taste=1.0):
    """40 users by 12 items around an item's own level; users of even and odd number like opposite items."""
    return {
        (user, item): 3.0 + item % 3 + taste * (1 if (user + item) % 2 else -1)
        for user in range(40)
        for item in range(12)
    }


def test_the_baseline_is_the_error_of_the_items_mean_and_als_finds_the_taste_beyond_it(spark):
    ratings = rated()
    held_out = {pair: value for pair, value in ratings.items() if sum(pair) % 5 == 0}
    known = {pair: value for pair, value in ratings.items() if pair not in held_out}
    rows = [(*pair, known.get(pair), held_out.get(pair)) for pair in ratings]
    pairs = with_expected(spark.createDataFrame(rows, PAIRS), float(np.mean(list(known.values()))))
    pairs = arranged(pairs, 2).localCheckpoint()
    config = RecommendConfig(rank=2, iterations=8, rating_reg_param=0.05)
    found = rating_errors(predicted(fit_explicit(around_expected(pairs), config, 2, 7), pairs), 50, 7)

    by_item = {item: np.mean([v for (_, i), v in known.items() if i == item]) for item in range(12)}
    truth, guess = list(held_out.values()), [by_item[item] for _, item in held_out]
    assert found["item_mean", "rmse"].value == pytest.approx(mean_squared_error(truth, guess) ** 0.5, abs=1e-6)
    assert found["item_mean", "mae"].value == pytest.approx(mean_absolute_error(truth, guess), abs=1e-6)
    assert found["als_explicit", "rmse"].value < 0.3 * found["item_mean", "rmse"].value


def test_what_to_expect_is_the_mean_and_the_shrunken_offsets_of_item_and_user(spark):
    """By hand: the mean of 5, 3 and 1 is 3; item 0 is off by (2 + 0) / (2 + 5), item 1 by -2 / (1 + 5)."""
    rows = [(0, 0, 5.0, None), (1, 0, 3.0, None), (1, 1, 1.0, None), (0, 1, None, 4.0)]
    unknown = [(2, 1, None, 4.0), (0, 2, None, 4.0)]  # a user and an item without a known rating
    for partitions in (1, 3):
        pairs = spark.createDataFrame(rows + unknown, PAIRS).repartition(partitions)
        known = with_expected(pairs, mean_rating(9_000_000, 3)).collect()
        found = {(row.user_no, row.item_no): row.expected for row in known}
        assert set(found) == {row[:2] for row in rows}
        items = {0: 2 / 7, 1: -2 / 6}
        users = {0: (2 - items[0]) / 6, 1: (0 - items[0] - 2 - items[1]) / 7}
        for (user, item), value in found.items():
            assert value == pytest.approx(3 + items[item] + users[user], abs=1e-6)
        assert {row.item_no: row.mean_rating for row in known} == {0: 4.0, 1: 1.0}


def test_the_last_rating_before_the_split_and_the_last_after_it_are_kept_apart(spark):
    given = [
        ("u", "i", "2024-03-01 10:00", 1.0),
        ("u", "i", "2024-03-09 10:00", 5.0),
        ("u", "i", "2024-03-09 10:00", 2.0),  # at the same time: the higher
        ("u", "i", "2024-03-10 00:00", 4.0),
        ("u", "i", "2024-03-11 09:00", 3.0),
        ("u", "i", "2024-03-12 00:00", 1.0),  # not before the end
        ("u", "j", "2024-03-01 10:00", float("nan")),
        ("u", "j", "2024-03-11 10:00", 2.0),
        ("v", "i", "2024-03-01 10:00", 3.0),
    ]
    names = ("user_id", "item_id", "rated_at", "rating")
    rows = [dict(zip(names, (user, item, at(time), rating), strict=True)) for user, item, time, rating in given]
    found = last_ratings_of_parts(rows_of(spark, RATINGS, *rows), day("2024-03-10"), day("2024-03-12"))
    assert {(row.user_id, row.item_id): (row.weight, row.tested) for row in found.collect()} == {
        ("u", "i"): (5.0, 3.0),
        ("u", "j"): (None, 2.0),
        ("v", "i"): (3.0, None),
    }


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
