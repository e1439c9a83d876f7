from datetime import date, timedelta

import pytest

from segspark.campaigns.config import DemandConfig
from segspark.campaigns.demand.backtest import FORECASTS, Way
from segspark.campaigns.demand.cover import (
    Short,
    expected_units,
    running_out,
    segment_demand,
    stock_of,
    units_of_goods,
)
from segspark.campaigns.demand.forecasting import OURS
from segspark.core.arrow_rows import Row
from segspark.core.contracts import ITEMS, SEGMENT_DEMAND
from tests.builders import at, rows_of

AS_OF = date(2024, 6, 1)
SECOND = AS_OF + timedelta(days=7)
ROWS = "what string, segment_name string, category string, item_id string, units double"
CATEGORIES = "item_id string, category string"
UNITS = {  # by series: expected in two weeks, and sold in the four before
    ("loyal", "cups", None): (30.0, 40.0, 60.0),
    ("others", "cups", None): (20.0, 50.0, 4.0),
    ("loyal", "cups", "mug"): (4.0, 3.0, 0.0),
    ("others", "cups", "mug"): (4.0, 3.0, 7.0),
    ("loyal", "other categories", None): (1.0, 1.0, 1.0),
    ("loyal", "", None): (0.0, 0.0, 0.0),
}
GOODS = {series[1:] for series in UNITS}


def expected_row(segment_name, category, item_id, week, units, recent):
    series = {"segment_name": segment_name, "category": category, "item_id": item_id}
    return Row(series, week=week, expected_units=units, low=0.0, high=2 * units, trend=0.0, recent=recent)


EXPECTED = [
    expected_row(*series, week, value, recent)
    for series, (first, second, recent) in UNITS.items()
    for week, value in ((AS_OF, first), (SECOND, second))
]


def units_row(what, segment_name, category, item_id, units):
    return Row(what=what, segment_name=segment_name, category=category, item_id=item_id, units=units)


HAND = [  # of the shop in the test of stock below
    units_row("stock", None, "cups", None, 128.0),
    units_row("stock", None, None, "mug", 14.0),
    units_row("stock", None, "other categories", None, None),
    units_row("stock", None, "", None, 5.0),
]


def demand_of(campaign=(), starts_on=AS_OF):
    units = [*HAND, *(units_row("campaign", *row) for row in campaign)]
    found = segment_demand(EXPECTED, units, starts_on, AS_OF, "value")
    assert len(found) == len(EXPECTED)
    assert all(set(row) >= set(SEGMENT_DEMAND.names) for row in found)
    return {tuple(row[name] for name in SEGMENT_DEMAND.key[1:]): Row(row) for row in found}


def test_stock_is_that_of_the_items_on_sale(spark):
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
    stock = stock_of(items, spark.createDataFrame(placed, CATEGORIES), AS_OF)
    found = [Row(row.asDict()) for row in units_of_goods(stock, GOODS).collect()]
    assert sorted(found, key=str) == sorted(HAND, key=str)


def test_the_campaign_counts_for_its_item_and_its_category_once(spark):
    campaign = [
        ("campaign", "loyal", "cups", "mug", 6.0),
        ("campaign", "loyal", "cups", "glass", 10.0),
        ("campaign", "others", "cups", None, 5.0),
        ("campaign", "others", "pots", "pan", 2.0),
        ("campaign", "loyal", None, None, 1.0),
    ]
    summed = units_of_goods(spark.createDataFrame(campaign, ROWS), GOODS).collect()
    assert {(row.segment_name, row.category, row.item_id, row.units) for row in summed} == {
        ("loyal", "cups", None, 16.0),
        ("others", "cups", None, 5.0),
        ("others", "other categories", None, 2.0),
        ("loyal", "", None, 1.0),
        ("loyal", None, "mug", 6.0),
    }
    rows = demand_of([tuple(row)[1:] for row in summed])
    units = {key: r.campaign_units for key, r in rows.items() if r.campaign_units}
    assert units == {
        ("loyal", "cups", None, AS_OF): 16,
        ("loyal", "cups", "mug", AS_OF): 6,
        ("others", "cups", None, AS_OF): 5,
        ("loyal", "", None, AS_OF): 1,
    }
    short = {(category, item, week) for (_, category, item, week), r in rows.items() if r.is_short}
    assert short == {("cups", None, SECOND), ("cups", "mug", SECOND)}  # mugs: 4 + 4 + 6 of 14, then 20


def test_cover_and_turnover_are_those_of_hand_arithmetic():
    rows = demand_of()
    cups = rows["loyal", "cups", None, AS_OF]
    assert cups.stock == 128
    assert cups.stock_cover_days == pytest.approx(128 / ((30 + 40 + 20 + 50) / 14))  # 12.8 days at 10 a day
    assert cups.turnover == pytest.approx(64 / 128)
    mug = rows["others", "cups", "mug", SECOND]
    assert (mug.stock, mug.turnover) == (14, 0.5)
    assert mug.stock_cover_days == pytest.approx(14 / (14 / 14))
    unwanted = rows["loyal", "", None, AS_OF]
    assert (unwanted.stock_cover_days, unwanted.turnover) == (None, 0.0)


def test_what_the_source_does_not_tell_is_null():
    row = demand_of()["loyal", "other categories", None, AS_OF]
    assert (row.stock, row.stock_cover_days, row.turnover, row.is_short) == (None, None, None, None)
    assert (row.expected_units, row.campaign_units) == (1, 0)


def test_stock_is_short_from_the_week_on_in_which_all_segments_want_more():
    short = {(category, item, week) for (_, category, item, week), r in demand_of().items() if r.is_short}
    assert short == {("cups", None, SECOND)}  # 50 then 140 of 128; of mugs 8 then 14 of 14


def test_a_later_campaign_counts_from_its_week_on():
    campaign = [("loyal", "cups", None, 79.0)]
    in_second = demand_of(campaign, starts_on=date(2024, 6, 9))
    assert in_second["loyal", "cups", None, AS_OF].campaign_units == 0
    assert in_second["loyal", "cups", None, SECOND].campaign_units == 79
    assert not in_second["others", "cups", None, AS_OF].is_short
    at_once = demand_of(campaign, starts_on=AS_OF)
    assert at_once["others", "cups", None, AS_OF].is_short  # 50 and 79 of 128
    never = demand_of(campaign, starts_on=date(2024, 6, 15))
    assert {r.campaign_units for r in never.values()} == {0}


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


def forecast(model, value, level=10.0, origin=AS_OF, item_id=None):
    return ("loyal", "cups", item_id, origin, origin, model, value, value * 1.5, None, level, 1.0, 8.0)


def test_expected_units_are_of_the_model_in_use_between_its_error_points(spark):
    rows = [
        forecast("last_value", 6.0, level=20.0),
        forecast("last_value", 60.0, origin=AS_OF - timedelta(days=28)),
        forecast(OURS, 99.0),
        forecast(OURS, 5.0, item_id="mug"),
    ]
    ways = {"category": Way("last_value", -0.4, 0.4), "item": Way(OURS, 0.1, -0.1)}
    found = expected_units(spark.createDataFrame(rows, FORECASTS), ways, AS_OF).collect()
    assert {r.item_id: (r.expected_units, r.low, r.high, r.trend, r.recent) for r in found} == {
        None: (6, 0, pytest.approx(14), 0.5, 8),
        "mug": (5, 5, 5, 0.5, 8),
    }


def test_without_a_back_test_our_model_is_used_and_has_no_points(spark):
    forecasts = spark.createDataFrame([forecast(OURS, 0.0), forecast("last_value", 3.0)], FORECASTS)
    for ways in ({}, {"item": Way("last_value", -0.1, 0.1)}, {"category": Way(OURS)}):
        found = expected_units(forecasts, ways, AS_OF).collect()
        assert [(r.expected_units, r.low, r.high, r.trend) for r in found] == [(0, None, None, None)]
