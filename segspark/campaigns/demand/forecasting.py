"""Forecasts of one series: units of whole weeks from daily units.

A week is seven days that end where the forecast begins, so it holds each weekday once and needs no weekly season. In
the back-test of docs/quality.md this is better than a trend with a weekly season of daily units, which takes twenty
times as long. No season of the year is modelled; where there is one, `seasonal_naive` can win the back-test: then it is
used.
"""

from __future__ import annotations

import warnings
from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray

Numbers = NDArray[np.float64]

DAYS = 7
YEAR = 52  # weeks after which the same weekdays come again
RECENT = 8  # weeks of the mean
LEAST_WEEKS = 12  # of history, for a trend; statsmodels' heuristic start needs ten
LEAST_SHARE = 0.5  # of weeks with a sale, for a trend
BOUNDS = {"smoothing_level": (0.05, 0.5), "smoothing_trend": (0.0, 0.2), "damping_trend": (0.8, 0.95)}


def weekly_totals(daily: Numbers) -> Numbers:
    """Units of each whole week, the last one ending with the last day; the days before the first are left out.

    Less than a week is told as one week at its daily rate, no day at all as a week without sales.
    """
    weeks = len(daily) // DAYS
    if weeks == 0:
        return np.array([daily.mean() * DAYS if len(daily) else 0.0])
    return daily[len(daily) - weeks * DAYS :].reshape(weeks, DAYS).sum(axis=1)


def last_value(totals: Numbers, weeks: int) -> Numbers:
    """The last week again. On weekly totals the same days of the week before are the same."""
    return np.repeat(totals[-1], weeks)


def seasonal_naive(totals: Numbers, weeks: int) -> Numbers:
    """The same weeks 364 days earlier; with less than a year of history, the same days of the last week."""
    if len(totals) < YEAR:
        return last_value(totals, weeks)
    return totals[len(totals) - YEAR + np.arange(weeks) % YEAR]


def damped_trend_and_mean(totals: Numbers, weeks: int) -> Numbers:
    """The average of a damped trend and of the mean of eight weeks; that mean alone where a trend cannot be told.

    Averages of simple methods forecast better than each does (Clemen 1989; Makridakis and others 2020, the M4
    competition). A trend is not told from fewer than 12 weeks, or where most weeks are without a sale.
    """
    mean = np.repeat(totals[-RECENT:].mean(), weeks)
    if len(totals) < LEAST_WEEKS or np.count_nonzero(totals) < LEAST_SHARE * len(totals):
        return mean
    return (damped_trend(totals, weeks) + mean) / 2


def damped_trend(totals: Numbers, weeks: int) -> Numbers:
    """Exponential smoothing with a damped additive trend (Gardner and McKenzie 1985) of the square roots.

    Roots make the noise of few and of many units alike, keep one large order from bending the trend, and keep what is
    forecast from being negative. Squaring them leaves a forecast somewhat below the mean.
    """
    from statsmodels.tsa.holtwinters import ExponentialSmoothing

    roots = np.sqrt(totals)
    with warnings.catch_warnings(), np.errstate(all="ignore"):
        warnings.simplefilter("ignore")  # of a search that stops early: its last point is as good a forecast
        model = ExponentialSmoothing(
            roots, trend="add", damped_trend=True, initialization_method="heuristic", bounds=BOUNDS
        )
        fitted = model.fit(use_brute=False)  # a grid of starting points takes twice as long and forecasts no better
        forecast = np.asarray(fitted.forecast(weeks))
    return np.square(np.maximum(forecast, 0.0))


Forecaster = Callable[[Numbers, int], Numbers]

OURS = "damped_trend_and_mean"
MODELS: dict[str, Forecaster] = {
    OURS: damped_trend_and_mean,
    "last_value": last_value,
    "seasonal_naive": seasonal_naive,
}


def level(totals: Numbers) -> float:
    """What a week of the series is about: units, of the last eight weeks or of all, whichever is more."""
    return float(max(totals[-RECENT:].mean(), totals.mean()))


def naive_error(totals: Numbers) -> float:
    """Mean absolute error of repeating the week before, inside the history; 0 with one week.

    The scale of the mean absolute scaled error (Hyndman and Koehler 2006).
    """
    return float(np.abs(np.diff(totals)).mean()) if len(totals) > 1 else 0.0
