import numpy as np
import pytest

from segspark.recommend.config import RecommendConfig
from segspark.recommend.factors import fit_explicit
from segspark.recommend.ratings import around_means, item_means, rating_error

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
    means = item_means(train).checkpoint()
    config = RecommendConfig(rank=2, iterations=8, rating_reg_param=0.05)
    error = rating_error(fit_explicit(around_means(train, means), config, 2, 7), means, test)

    by_item = {item: np.mean([v for (_, i), v in known.items() if i == item]) for item in range(12)}
    by_hand = np.sqrt(np.mean([(value - by_item[item]) ** 2 for (_, item), value in held_out.items()]))
    assert error.baseline == pytest.approx(by_hand, abs=1e-6)
    assert error.rmse < 0.3 * error.baseline
