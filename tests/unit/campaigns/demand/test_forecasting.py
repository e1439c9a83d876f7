import warnings

import numpy as np
import pytest
from statsmodels.tsa.holtwinters import ExponentialSmoothing

from segspark.campaigns.demand.forecasting import (
    BOUNDS,
    MODELS,
    OURS,
    damped_trend,
    damped_trend_and_mean,
    last_value,
    level,
    naive_error,
    seasonal_naive,
    weekly_totals,
)

WEEKDAYS = np.array([0.4, 0.7, 0.9, 1.0, 1.3, 1.9, 0.8])  # their mean is 1


def growing_shop(weeks: int, growth: float, seed: int) -> tuple[np.ndarray, np.ndarray]:
    """Daily units with a weekly pattern, growth a week and noise of a tenth; and the weekly means behind them."""
    means = 700 * (1 + growth) ** np.arange(weeks)
    daily = (means[:, None] / 7 * WEEKDAYS).ravel()
    return daily * np.random.default_rng(seed).normal(1, 0.1, daily.size), means


def test_a_planted_pattern_with_growth_is_forecast_within_a_tenth():
    for seed in range(10):
        daily, means = growing_shop(weeks=44, growth=0.01, seed=seed)
        forecast = damped_trend_and_mean(weekly_totals(daily[: 40 * 7]), 4)
        assert np.abs(forecast - means[40:]).sum() / means[40:].sum() < 0.1


def test_a_trend_is_forecast_better_than_by_the_mean_alone():
    for seed in range(10):
        daily, means = growing_shop(weeks=44, growth=0.02, seed=seed)
        totals = weekly_totals(daily[: 40 * 7])
        ours = np.abs(damped_trend_and_mean(totals, 4) - means[40:]).sum()
        assert ours < 0.85 * np.abs(totals[-8:].mean() - means[40:]).sum()


@pytest.mark.parametrize("more_days", range(7))
def test_the_weekday_on_which_a_forecast_begins_does_not_matter(more_days):
    daily = np.tile(WEEKDAYS * 100, 30)[: 29 * 7 + more_days]
    for forecaster in MODELS.values():
        np.testing.assert_allclose(forecaster(weekly_totals(daily), 4), 700, rtol=1e-6)


def test_the_damped_trend_is_that_of_statsmodels():
    totals = weekly_totals(growing_shop(weeks=30, growth=0.02, seed=3)[0])
    model = ExponentialSmoothing(
        np.sqrt(totals), trend="add", damped_trend=True, initialization_method="heuristic", bounds=BOUNDS
    )
    np.testing.assert_array_equal(damped_trend(totals, 5), model.fit(use_brute=False).forecast(5) ** 2)


def test_the_damped_trend_follows_its_recursion():
    """Gardner and McKenzie's equations by hand, from the parameters that statsmodels finds."""
    totals = weekly_totals(growing_shop(weeks=30, growth=0.02, seed=3)[0])
    roots = np.sqrt(totals)
    model = ExponentialSmoothing(
        roots, trend="add", damped_trend=True, initialization_method="heuristic", bounds=BOUNDS
    )
    found = model.fit(use_brute=False).params
    alpha, beta, phi = (found[name] for name in ("smoothing_level", "smoothing_trend", "damping_trend"))
    height, slope = found["initial_level"], found["initial_trend"]
    for root in roots:
        before = height
        height = alpha * root + (1 - alpha) * (height + phi * slope)
        slope = beta * (height - before) + (1 - beta) * phi * slope
    by_hand = [(height + slope * sum(phi**j for j in range(1, ahead + 1))) ** 2 for ahead in range(1, 5)]
    np.testing.assert_allclose(damped_trend(totals, 4), by_hand, rtol=1e-9)


def test_ours_is_the_average_of_the_damped_trend_and_of_eight_weeks():
    totals = weekly_totals(growing_shop(weeks=30, growth=0.02, seed=3)[0])
    expected = (damped_trend(totals, 4) + totals[-8:].sum() / 8) / 2
    np.testing.assert_allclose(damped_trend_and_mean(totals, 4), expected)


@pytest.mark.parametrize(
    "daily",
    [
        np.zeros(0),
        np.zeros(1),
        np.array([3.0]),
        np.zeros(400),
        np.eye(1, 400, 0).ravel(),
        np.eye(1, 400, 399).ravel(),
        np.eye(1, 400, 200).ravel() * 74_215,
        np.tile([1e9, 0, 0, 0, 0, 0, 0], 60),
        np.full(400, 5.0),
        np.where(np.arange(400) < 200, 1000.0, 0.0),
        np.where(np.arange(400) < 200, 0.0, 1000.0),
        np.tile([0.0001, 0, 0, 0, 0, 0, 0], 60),
        2.0 ** np.arange(91) % 1e12,
    ],
    ids=[
        "no day",
        "one empty day",
        "one day",
        "all zero",
        "one sale at first",
        "one sale at last",
        "one large sale",
        "huge",
        "constant",
        "ended",
        "begun",
        "tiny",
        "wild",
    ],
)
def test_odd_series_have_finite_forecasts_that_are_not_negative(daily):
    totals = weekly_totals(daily)
    for forecaster in MODELS.values():
        forecast = forecaster(totals, 5)
        assert forecast.shape == (5,)
        assert np.isfinite(forecast).all() and (forecast >= 0).all()
    assert np.isfinite(level(totals)) and np.isfinite(naive_error(totals))


def test_random_series_have_finite_forecasts_and_no_warnings():
    random = np.random.default_rng(5)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        for weeks in range(10, 60):
            daily = random.poisson(random.choice([0.05, 0.3, 3, 300]), weeks * 7) * random.choice(
                [1, 1, 1, 40], weeks * 7
            )
            forecast = damped_trend_and_mean(weekly_totals(daily.astype(float)), 4)
            assert np.isfinite(forecast).all() and (forecast >= 0).all()


def test_a_sparse_series_is_forecast_by_its_recent_mean():
    totals = np.zeros(40)
    totals[[3, 11, 20, 27, 33, 38]] = [4, 2, 8, 2, 4, 4]
    np.testing.assert_array_equal(damped_trend_and_mean(totals, 3), np.repeat(8 / 8, 3))


def test_a_week_is_the_last_seven_days():
    daily = np.array([100.0, 1, 2, 3, 4, 5, 6, 7, 1, 1, 1, 1, 1, 1, 2])
    np.testing.assert_array_equal(weekly_totals(daily), [28, 8])
    np.testing.assert_array_equal(weekly_totals(np.array([2.0, 4.0])), [21])
    np.testing.assert_array_equal(last_value(weekly_totals(daily), 2), [8, 8])


def test_seasonal_naive_is_last_year_where_there_is_one_and_else_last_week():
    totals = np.arange(1.0, 61)  # the 60th week is the last, so last year's 61st is the ninth
    np.testing.assert_array_equal(seasonal_naive(totals, 3), [9, 10, 11])
    np.testing.assert_array_equal(seasonal_naive(totals[:51], 3), [51, 51, 51])
    np.testing.assert_array_equal(seasonal_naive(totals[:52], 2), [1, 2])


def test_level_and_naive_error_by_hand():
    totals = np.array([2.0, 4, 9, 9])
    assert level(totals) == 6
    assert naive_error(totals) == pytest.approx((2 + 5 + 0) / 3)
    assert level(np.array([*np.full(8, 10.0), *np.zeros(8)])) == 5
    assert naive_error(np.array([3.0])) == 0


def test_the_used_model_is_the_first_of_all():
    assert next(iter(MODELS)) == OURS
