from datetime import date, timedelta

import numpy as np
import pandas as pd
import pytest

from segspark.campaigns.config import DemandConfig
from segspark.campaigns.demand.backtest import (
    FORECASTS,
    Way,
    demand_accuracy,
    forecasts_of,
    judge,
    origins_of,
    ways_of,
)
from segspark.campaigns.demand.forecasting import MODELS, OURS, weekly_totals
from segspark.core.arrow_rows import Row
from segspark.core.contracts import DEMAND_ACCURACY

AS_OF = date(2024, 6, 1)
FIRST = AS_OF - timedelta(days=150)  # of the shop
ORIGINS = origins_of(DemandConfig(origins=3), AS_OF)
SERIES = "segment_name string, category string, item_id string, day date, units double"
KEY = ["segment_name", "category", "item_id", "origin", "week", "model"]


def daily_rows(segment: str, item: str | None, units: np.ndarray) -> list[tuple]:
    first = AS_OF - timedelta(days=len(units))
    return [(segment, "cups", item, first + timedelta(days=i), float(u)) for i, u in enumerate(units)]


@pytest.fixture(scope="module")
def units():
    random = np.random.default_rng(2)
    return {
        ("loyal", None): random.poisson(20, 150).astype(float),
        ("loyal", "mug"): random.poisson(2, 150).astype(float),
        ("others", None): np.zeros(150),
        ("others", "mug"): np.eye(1, 150, 140).ravel(),
    }


@pytest.fixture(scope="module")
def series(spark, units):
    return spark.createDataFrame([row for (s, i), x in units.items() for row in daily_rows(s, i, x)], SERIES)


@pytest.fixture(scope="module")
def forecasts(series):
    found = forecasts_of(series, FIRST, ORIGINS, 4, AS_OF).toPandas()
    return found.sort_values(KEY, ignore_index=True)


def judged(spark, *rows: tuple):
    """Forecasts of item series unless an item is None: item, model, expected, actual, level, naive_error."""
    return spark.createDataFrame(
        [
            (
                "loyal",
                "cups",
                item,
                date(2024, 3, 1 + i),
                date(2024, 3, 1 + i),
                model,
                float(e),
                float(e),
                a,
                lev,
                err,
                0.0,
            )
            for i, (item, model, e, a, lev, err) in enumerate(rows)
        ],
        FORECASTS,
    )


def test_the_weeks_of_the_back_test_follow_one_another_up_to_as_of():
    assert origins_of(DemandConfig(origins=3, weeks=4), AS_OF) == [date(2024, 3, 9), date(2024, 4, 6), date(2024, 5, 4)]


def test_there_is_a_forecast_of_each_series_origin_model_and_week(forecasts):
    assert len(forecasts) == 4 * (3 + 1) * len(MODELS) * 4
    assert np.isfinite(forecasts.expected).all() and (forecasts.expected >= 0).all()
    assert forecasts[forecasts.origin == AS_OF].actual.isna().all()
    assert forecasts[forecasts.origin < AS_OF].actual.notna().all()


def test_forecasts_and_what_was_sold_are_those_of_the_series(forecasts, units):
    for (segment, item), daily in units.items():
        mine = forecasts[(forecasts.segment_name == segment) & (forecasts.item_id.fillna("") == (item or ""))]
        for (origin, model), rows in mine.groupby(["origin", "model"]):
            known = len(daily) - (AS_OF - origin).days
            expected = MODELS[model](weekly_totals(daily[:known]), 5)
            np.testing.assert_array_equal(rows.expected, expected[:4])
            np.testing.assert_array_equal(rows.following, expected[1:])
            np.testing.assert_array_equal(rows.recent, daily[known - 28 : known].sum())
            if origin < AS_OF:
                np.testing.assert_array_equal(rows.actual, daily[known : known + 28].reshape(4, 7).sum(axis=1))


def test_repartitioning_changes_no_forecast(series, forecasts):
    again = forecasts_of(series.repartition(9), FIRST, ORIGINS, 4, AS_OF).toPandas()
    again = again.sort_values(KEY, ignore_index=True)
    pd.testing.assert_frame_equal(again, forecasts, check_exact=True)


def test_a_day_without_a_row_is_a_day_without_a_sale(spark, series, forecasts):
    """The same without the rows of days on which nothing was sold, as `series` are, and a row without a day each."""
    sold = series.where("units > 0")
    nothing = series.select("segment_name", "category", "item_id").distinct().selectExpr("*", "CAST(NULL AS date) day")
    both = sold.unionByName(nothing.selectExpr("*", "0D units"))
    again = forecasts_of(both, FIRST, ORIGINS, 4, AS_OF).toPandas().sort_values(KEY, ignore_index=True)
    pd.testing.assert_frame_equal(again, forecasts, check_exact=True)


def test_days_from_an_origin_on_change_no_forecast_from_it(spark, units, forecasts):
    changed = {key: np.where(np.arange(150) < 150 - 28, x, x * 7 + 3) for key, x in units.items()}
    frame = spark.createDataFrame([row for (s, i), x in changed.items() for row in daily_rows(s, i, x)], SERIES)
    again = forecasts_of(frame, FIRST, ORIGINS, 4, AS_OF).toPandas()
    again = again.sort_values(KEY, ignore_index=True)
    before = forecasts.origin < AS_OF
    pd.testing.assert_frame_equal(again[before].drop(columns="actual"), forecasts[before].drop(columns="actual"))
    assert not again[~before].expected.equals(forecasts[~before].expected)


def test_a_shop_of_one_day_has_forecasts_and_no_back_test(spark):
    series = spark.createDataFrame(daily_rows("loyal", None, np.array([3.0])), SERIES)
    found = forecasts_of(series, AS_OF - timedelta(days=1), origins_of(DemandConfig(), AS_OF), 4, AS_OF)
    assert {(r.origin, r.expected, r.recent) for r in found.collect()} == {(AS_OF, 21.0, 3.0)}
    assert judge(found).isEmpty()
    assert demand_accuracy([], "value") == [] and ways_of([]) == {}


def test_errors_are_those_of_hand_arithmetic(spark):
    rows = judged(
        spark,
        (None, OURS, 8, 10.0, 10.0, 4.0),
        (None, OURS, 13, 10.0, 10.0, 2.0),
        (None, OURS, 5, 5.0, 10.0, 0.0),
        (None, OURS, 99, None, 10.0, 1.0),
        (None, "last_value", 20, 25.0, 10.0, 5.0),
        ("mug", OURS, 1, 0.0, 1.0, 1.0),
        ("mug", "last_value", 0, 0.0, 1.0, 1.0),
    )
    found = {(r["level"], r["model"]): Row(r) for r in demand_accuracy(judge(rows).collect(), "value")}
    assert {frozenset(row) for row in found.values()} == {frozenset(DEMAND_ACCURACY.names)}
    ours = found["category", OURS]
    assert (ours.forecasts, ours.mae, ours.wape) == (3, pytest.approx(5 / 3), 0.2)
    assert ours.mase == pytest.approx((2 / 4 + 3 / 2) / 2)  # the series without naive error has none
    assert (ours.first_origin, ours.last_origin) == (date(2024, 3, 1), date(2024, 3, 3))
    assert found["category", "last_value"].wape == 0.2 and not found["category", "last_value"].used
    assert ours.used and ours.scheme == "value"
    assert found["item", OURS].wape is None and found["item", OURS].mae == 1


def summed(level, model, errors, units=10.0):
    plain = {"scaled": None, "scalable": 0, "forecasts": 1, "first_origin": AS_OF, "last_origin": AS_OF}
    return Row(of=level, model=model, errors=errors, units=units, points=[-errors, errors], **plain)


def test_the_least_wape_of_a_level_is_used_and_ours_where_none_is_less():
    judged = [
        summed("category", "seasonal_naive", 0.0),
        summed("category", OURS, 2.0),
        summed("item", "last_value", 1.0),
        summed("item", OURS, 1.0),
        summed("item", "seasonal_naive", 2.0),
    ]
    assert ways_of(judged) == {"category": Way("seasonal_naive", 0.0, 0.0), "item": Way(OURS, -1.0, 1.0)}
    used = {row["level"]: row["model"] for row in demand_accuracy(judged, "value") if row["used"]}
    assert used == {"category": "seasonal_naive", "item": OURS}


def test_a_level_of_which_nothing_was_sold_has_no_wape_and_no_points():
    nothing = Row({**summed("item", "last_value", 1.0, units=0.0), "points": None})
    (row,) = demand_accuracy([nothing], "value")
    assert (row["mae"], row["wape"], row["mase"], row["used"]) == (1.0, None, None, True)
    assert ways_of([nothing]) == {"item": Way("last_value", None, None)}


def test_where_the_year_has_a_season_last_year_is_used(spark):
    """Twice the same year, of weeks between 100 and 700 units."""
    year = np.repeat(400 - 300 * np.cos(np.arange(52) / 52 * 2 * np.pi), 7) / 7
    series = spark.createDataFrame(daily_rows("loyal", None, np.tile(year, 2)), SERIES)
    config = DemandConfig()
    first = AS_OF - timedelta(weeks=2 * 52)
    found = demand_accuracy(
        judge(forecasts_of(series, first, origins_of(config, AS_OF), config.weeks, AS_OF)).collect(), "value"
    )
    wape = {row["model"]: row["wape"] for row in found}
    assert wape["seasonal_naive"] == pytest.approx(0, abs=1e-6) and wape[OURS] > 0.05
    assert [row["model"] for row in found if row["used"]] == ["seasonal_naive"]


def test_points_of_errors_are_numpys(spark):
    random = np.random.default_rng(4)
    actual, expected, level = random.uniform(0, 50, 40), random.uniform(0, 50, 40), random.uniform(1, 9, 40)
    start = date(2024, 1, 1)
    cells = zip(range(40), actual.tolist(), expected.tolist(), level.tolist(), strict=True)
    rows = [
        ("loyal", "cups", None, start + timedelta(i), start, OURS, e, e, a, lev, 1.0, 0.0) for i, a, e, lev in cells
    ]
    silent = ("loyal", "cups", None, start, start, OURS, 1.0, 1.0, 5.0, 0.0, 1.0, 0.0)
    ways = ways_of(judge(spark.createDataFrame([*rows, silent], FORECASTS)).collect())
    points = np.quantile((actual - expected) / level, [0.1, 0.9])
    assert ways == {"category": Way(OURS, pytest.approx(points[0]), pytest.approx(points[1]))}
