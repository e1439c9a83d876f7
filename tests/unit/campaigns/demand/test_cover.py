from datetime import date, timedelta

import pytest

from segspark.campaigns.config import DemandConfig
from segspark.campaigns.demand.backtest import FORECASTS, Way
from segspark.campaigns.demand.cover import (
    Short,
    campaign_units_of,
    expected_units,
    running_out,
    segment_demand,
    stock_of,
)
from segspark.campaigns.demand.forecasting import OURS
from segspark.core.arrow_rows import Row
from segspark.core.contracts import ITEMS, SEGMENT_DEMAND
from tests.builders import at, rows_of

AS_OF = date(2024, 6, 1)
SECOND = AS_OF + timedelta(days=7)
EXPECTED = (
    "segment_name string, category string, item_id string, week date, expected_units double, low double, high double,"
    " trend double"
)
CAMPAIGN = "segment_name string, category string, item_id string, units double"
SERIES = "segment_name string, category string, item_id string, day date, units double"
CATEGORIES = "item_id string, category string"


@pytest.fixture(scope="module")
def expected(spark):
    """Two segments want mugs and all cups in two weeks; one category has no stock that is known."""
    units = {
        ("loyal", "cups", None): (30.0, 40.0),
        ("others", "cups", None): (20.0, 50.0),
        ("loyal", "cups", "mug"): (4.0, 3.0),
        ("others", "cups", "mug"): (4.0, 3.0),
        ("loyal", "other categories", None): (1.0, 1.0),
        ("loyal", "", None): (0.0, 0.0),
    }
    rows = [
        (*series, week, value, 0.0, 2 * value, 0.0)
        for series, values in units.items()
        for week, value in zip((AS_OF, SECOND), values, strict=True)
    ]
    return spark.createDataFrame(rows, EXPECTED)


@pytest.fixture(scope="module")
def stock(spark, expected):
    items = rows_of(
        spark,
        ITEMS,
        {"item_id": "mug", "stock": 14},
        {"item_id": "glass", "stock": 114},
        {"item_id": "jug", "stock": None},
        {"item_id": "pan", "stock": None},
        {"item_id": "thing", "stock": 5},
        {"item_id": "coming", "stock": 1000, "launch_time": at("2024-06-01 00:00")},
    )
    placed = [("mug", "cups"), ("glass", "cups"), ("jug", "cups"), ("pan", "pots"), ("coming", "cups")]
    return stock_of(items, spark.createDataFrame(placed, CATEGORIES), expected, AS_OF)


def demand_of(spark, expected, stock, campaign=(), starts_on=AS_OF, sold=()):
    units = campaign_units_of(spark.createDataFrame([*campaign], CAMPAIGN), expected, starts_on, AS_OF)
    series = spark.createDataFrame([*sold], SERIES)
    found = segment_demand(expected, stock, units, series, "value", AS_OF).collect()
    assert len(found) == expected.count()
    return {(r.segment_name, r.category, r.item_id, r.week): r for r in found}


def test_stock_is_that_of_the_items_on_sale(stock):
    found = {(r.category, r.item_id): r.stock for r in stock.collect()}
    assert found == {
        ("cups", None): 128,
        ("cups", "mug"): 14,
        ("other categories", None): None,
        ("", None): 5,
    }


def test_cover_and_turnover_are_those_of_hand_arithmetic(spark, expected, stock):
    lately = [
        ("loyal", "cups", None, date(2024, 5, 4), 60.0),
        ("others", "cups", None, date(2024, 5, 31), 4.0),
        ("others", "cups", None, date(2024, 5, 3), 900.0),
        ("others", "cups", "mug", date(2024, 5, 31), 7.0),
    ]
    rows = demand_of(spark, expected, stock, sold=lately)
    cups = rows["loyal", "cups", None, AS_OF]
    assert cups.stock == 128
    assert cups.stock_cover_days == pytest.approx(128 / ((30 + 40 + 20 + 50) / 14))  # 12.8 days at 10 a day
    assert cups.turnover == pytest.approx(64 / 128)
    mug = rows["others", "cups", "mug", SECOND]
    assert (mug.stock, mug.turnover) == (14, 0.5)
    assert mug.stock_cover_days == pytest.approx(14 / (14 / 14))
    assert rows["loyal", "", None, AS_OF].stock_cover_days is None  # nobody wants any


def test_what_the_source_does_not_tell_is_null(spark, expected, stock):
    row = demand_of(spark, expected, stock)["loyal", "other categories", None, AS_OF]
    assert (row.stock, row.stock_cover_days, row.turnover, row.is_short) == (None, None, None, None)
    assert (row.expected_units, row.campaign_units) == (1, 0)


def test_stock_is_short_from_the_week_on_in_which_all_segments_want_more(spark, expected, stock):
    rows = demand_of(spark, expected, stock)
    short = {(category, item, week) for (_, category, item, week), r in rows.items() if r.is_short}
    assert short == {("cups", None, SECOND)}  # 50 then 140 of 128; of mugs 8 then 14 of 14


def test_the_campaign_counts_for_its_item_and_its_category_once(spark, expected, stock):
    campaign = [
        ("loyal", "cups", "mug", 6.0),
        ("loyal", "cups", "glass", 10.0),
        ("others", "cups", None, 5.0),
        ("others", "pots", "pan", 2.0),
        ("loyal", None, None, 1.0),
    ]
    rows = demand_of(spark, expected, stock, campaign)
    units = {key: r.campaign_units for key, r in rows.items() if r.campaign_units}
    assert units == {
        ("loyal", "cups", None, AS_OF): 16,
        ("loyal", "cups", "mug", AS_OF): 6,
        ("others", "cups", None, AS_OF): 5,
        ("loyal", "", None, AS_OF): 1,
    }
    short = {(category, item, week) for (_, category, item, week), r in rows.items() if r.is_short}
    assert short == {("cups", None, SECOND), ("cups", "mug", SECOND)}  # mugs: 4 + 4 + 6 of 14, then 20


def wanted(category, item_id, cover_days, is_short, segment_name="loyal", week=AS_OF):
    row = {"segment_name": segment_name, "category": category, "item_id": item_id, "week": week}
    return Row(row, stock_cover_days=cover_days, is_short=is_short)


def test_what_is_running_out_is_told_once_and_what_lasts_for_the_fewest_days_first():
    demand = [
        wanted("cups", "mug", 14.0, False),
        wanted("cups", None, 12.8, True, week=SECOND),
        wanted("cups", None, 12.8, False),
        wanted("cups", None, 12.8, False, segment_name="others"),
        wanted("pots", None, None, True),  # wanted by nobody but the campaign
        wanted("", None, 90.0, False),
        wanted("other categories", None, None, None),  # nobody knows the stock
    ]
    told = running_out(demand, DemandConfig(cover_warning_days=14))
    assert told == [Short("pots", None, None, True), Short("cups", None, 12.8, True)]
    told = running_out(demand, DemandConfig(cover_warning_days=15))
    assert told[2:] == [Short("cups", "mug", 14.0, False)]
    assert running_out([], DemandConfig()) == []


def test_a_later_campaign_counts_from_its_week_on(spark, expected, stock):
    campaign = [("loyal", "cups", None, 79.0)]
    in_second = demand_of(spark, expected, stock, campaign, starts_on=date(2024, 6, 9))
    assert in_second["loyal", "cups", None, AS_OF].campaign_units == 0
    assert in_second["loyal", "cups", None, SECOND].campaign_units == 79
    assert not in_second["others", "cups", None, AS_OF].is_short
    at_once = demand_of(spark, expected, stock, campaign, starts_on=AS_OF)
    assert at_once["others", "cups", None, AS_OF].is_short  # 50 and 79 of 128
    never = demand_of(spark, expected, stock, campaign, starts_on=date(2024, 6, 15))
    assert {r.campaign_units for r in never.values()} == {0}


def test_rows_are_those_of_the_table(spark, expected, stock):
    units = campaign_units_of(spark.createDataFrame([], CAMPAIGN), expected, AS_OF, AS_OF)
    demand = segment_demand(expected, stock, units, spark.createDataFrame([], SERIES), "value", AS_OF)
    assert demand.columns == SEGMENT_DEMAND.names
    assert demand.select(*SEGMENT_DEMAND.key).distinct().count() == expected.count()


def forecast(model, value, level=10.0, origin=AS_OF, item_id=None):
    return ("loyal", "cups", item_id, origin, origin, model, value, value * 1.5, None, level, 1.0)


def test_expected_units_are_of_the_model_in_use_between_its_error_points(spark):
    rows = [
        forecast("last_value", 6.0, level=20.0),
        forecast("last_value", 60.0, origin=AS_OF - timedelta(days=28)),
        forecast(OURS, 99.0),
        forecast(OURS, 5.0, item_id="mug"),
    ]
    ways = {"category": Way("last_value", -0.4, 0.4), "item": Way(OURS, 0.1, -0.1)}
    found = expected_units(spark.createDataFrame(rows, FORECASTS), ways, AS_OF).collect()
    assert {r.item_id: (r.expected_units, r.low, r.high, r.trend) for r in found} == {
        None: (6, 0, pytest.approx(14), 0.5),
        "mug": (5, 5, 5, 0.5),
    }


def test_without_a_back_test_our_model_is_used_and_has_no_points(spark):
    forecasts = spark.createDataFrame([forecast(OURS, 0.0), forecast("last_value", 3.0)], FORECASTS)
    for ways in ({}, {"item": Way("last_value", -0.1, 0.1)}, {"category": Way(OURS)}):
        found = expected_units(forecasts, ways, AS_OF).collect()
        assert [(r.expected_units, r.low, r.high, r.trend) for r in found] == [(0, None, None, None)]
