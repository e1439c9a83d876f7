"""The oracle of the intervals is numpy: resampled with replacement, as the bootstrap is defined."""

import numpy as np
import pytest

from segspark.recommend.judging.bootstrap import Figures, mean_figures, poisson_draws, resample

USERS = 3000


@pytest.fixture(scope="module")
def values():
    return np.random.default_rng(5).gamma(2.0, 1.0, size=USERS)


def figures(batch):
    value, ratings = (batch.column(name).to_numpy() for name in ("value", "ratings"))
    return {
        ("als", "mean"): mean_figures(np.where(ratings == 3, np.nan, value)),
        ("als", "rmse"): Figures(value * ratings, ratings),
        ("als", "never"): mean_figures(np.full(len(value), np.nan)),
    }


def found_in(spark, values, parts):
    rows = [(user, float(value), 1.0 + user % 3) for user, value in enumerate(values)]
    frame = spark.createDataFrame(rows, "user_no int, value double, ratings double").repartition(parts)
    return resample(frame, figures, 800, seed=3, roots=("rmse",))


def numpy_interval(statistic):
    random = np.random.default_rng(9)
    drawn = [statistic(random.integers(0, USERS, USERS)) for _ in range(2000)]
    return np.percentile(drawn, [2.5, 97.5])


def test_values_are_those_of_everybody_and_intervals_those_of_numpys_bootstrap(spark, values):
    found = found_in(spark, values, 2)
    ratings = 1.0 + np.arange(USERS) % 3
    has = ratings != 3
    mean, rmse = found["als", "mean"], found["als", "rmse"]
    assert (mean.value, mean.users) == (pytest.approx(values[has].mean()), has.sum())
    assert (rmse.value, rmse.users) == (pytest.approx(np.sqrt((values * ratings).sum() / ratings.sum())), USERS)

    def mean_of(at):
        return values[at][has[at]].mean()

    def rmse_of(at):
        return np.sqrt((values[at] * ratings[at]).sum() / ratings[at].sum())

    for estimate, statistic in ((mean, mean_of), (rmse, rmse_of)):
        low, high = numpy_interval(statistic)
        width = high - low
        assert estimate.low == pytest.approx(low, abs=0.1 * width)
        assert estimate.high == pytest.approx(high, abs=0.1 * width)


def test_a_metric_that_nobody_has_is_left_out_and_partitions_change_nothing(spark, values):
    found = found_in(spark, values, 5)
    assert set(found) == {("als", "mean"), ("als", "rmse")}
    assert found == found_in(spark, values, 1)


def test_poisson_draws_have_mean_and_variance_one_and_belong_to_the_number():
    draws = poisson_draws(np.arange(2000), 50, seed=7)
    assert draws.mean() == pytest.approx(1, abs=0.02)
    assert draws.var() == pytest.approx(1, abs=0.03)
    assert abs(np.corrcoef(draws[:, 0], draws[:, 1])[0, 1]) < 0.1
    assert (poisson_draws(np.array([1999, 3]), 50, seed=7) == draws[[1999, 3]]).all()
    assert (poisson_draws(np.arange(2000), 50, seed=8) != draws).any()
