from datetime import date

import numpy as np
import pandas as pd
import pytest
from pyspark.sql import functions as F

from segspark.campaigns.config import LiftConfig
from segspark.campaigns.evidence import Sums, add_up, evidence_of
from segspark.campaigns.responses import _near, days_with, measure, planned_contacts, purchases_of
from tests.builders import at

PLAN = (
    "campaign_id string, user_id string, segment_name string, action string, holdout boolean, propensity double,"
    " allowed array<string>, send_on date"
)
OUTCOME = (
    "campaign_id string, user_id string, treated boolean, sent_at timestamp, converted boolean, revenue double,"
    " converted_at timestamp"
)
ORDER = (
    "user_id string, order_id string, order_time timestamp, quantity double, unit_price double, discount double,"
    " status string"
)
CONFIG = LiftConfig(attribution_days=14, before_days=7)


def planned(user, holdout=False, day="2024-06-01"):
    return ("c", user, "loyal", "coupon", holdout, 0.5, ["coupon", "email"], date.fromisoformat(day))


def sent(user, time, converted=None, revenue=None, treated=True, converted_at=None):
    return ("c", user, treated, at(time), converted, revenue, at(converted_at) if converted_at else None)


def order(user, time, number="o1", status="paid", price=10.0):
    return (user, number, at(time), 1.0, price, 0.0, status)


def responses(spark, plan, outcomes, orders=(), ratings=(), days=(), as_of=date(2024, 7, 1)):
    contacts = planned_contacts(spark.createDataFrame(plan, PLAN), spark.createDataFrame(outcomes, OUTCOME))
    logs = {
        "orders": spark.createDataFrame(list(orders), ORDER),
        "ratings": spark.createDataFrame(list(ratings), "user_id string, rated_at timestamp, rating double"),
        "user_days": spark.createDataFrame(list(days), "user_id string, day date, spend double"),
    }
    return {row.user_id: row for row in measure(contacts, logs, as_of, CONFIG).collect()}


def test_orders_count_from_the_contact_to_the_end_of_its_window(spark):
    plan = [planned(user) for user in "abcde"]
    outcomes = [sent(user, "2024-06-01 10:00") for user in "abcde"]
    orders = [
        order("a", "2024-06-01 09:59"),
        order("b", "2024-06-01 10:00"),
        order("c", "2024-06-15 09:59"),
        order("d", "2024-06-15 10:00"),
        order("e", "2024-06-02", status="cancelled"),
    ]
    found = responses(spark, plan, outcomes, orders)
    assert sorted(user for user, row in found.items() if row.converted) == ["b", "c"]
    assert sorted(found) == list("abcde")
    assert found["b"].revenue == 10.0 and found["a"].revenue == 0.0


def test_purchase_events_tell_of_conversion_where_there_are_no_orders(spark):
    schema = "event_id string, user_id string, event_type string, event_time timestamp, price double"
    events = [
        ("e1", "a", "purchase", at("2024-06-02"), 7.5),
        ("e2", "a", "purchase", at("2024-06-03"), None),
        ("e3", "b", "view", at("2024-06-02"), 9.0),
    ]
    orders = [tuple(row) for row in purchases_of(spark.createDataFrame(events, schema)).collect()]
    found = responses(spark, [planned("a"), planned("b")], [], orders)
    assert (found["a"].converted, found["a"].revenue, found["b"].converted) == (True, 7.5, False)


def test_who_is_held_out_is_looked_at_from_the_usual_hour_of_the_planned_day(spark):
    plan = [planned("a"), planned("b"), planned("x", holdout=True), planned("y", holdout=True)]
    outcomes = [sent("a", "2024-06-01 10:00"), sent("b", "2024-06-01 12:00")]
    found = responses(spark, plan, outcomes, [order("x", "2024-06-01 10:59"), order("y", "2024-06-01 11:00")])
    assert not found["x"].treated and not found["x"].converted
    assert found["y"].converted


def test_a_window_that_is_still_open_does_not_count_yet(spark):
    plan = [planned("a", day="2024-06-17"), planned("b", day="2024-06-16")]
    outcomes = [sent("a", "2024-06-17 00:01"), sent("b", "2024-06-16 23:00")]
    assert set(responses(spark, plan, outcomes)) == {"b"}
    assert set(responses(spark, plan, outcomes, as_of=date(2024, 7, 2))) == {"a", "b"}


def test_what_a_sender_tells_of_one_side_only_does_not_count(spark):
    told = [sent("a", "2024-06-01 10:00", True, 25.0)]
    found = responses(spark, [planned("a"), planned("b", holdout=True)], told, [order("b", "2024-06-02")])
    assert not found["a"].converted and found["b"].converted


def test_what_the_sender_tells_goes_before_what_orders_tell_and_late_outcomes_count_when_they_come(spark):
    plan = [planned("a"), planned("b"), planned("x", holdout=True)]
    early = [sent("a", "2024-06-01 10:00"), sent("b", "2024-06-01 10:00")]
    late = [sent("a", "2024-06-01 10:00", True, 25.0), sent("b", "2024-06-01 10:00", False, 0.0)]
    late.append(sent("x", "2024-06-01 10:00", True, 7.0, treated=False))
    orders = [order("b", "2024-06-02")]
    before, after = responses(spark, plan, early, orders), responses(spark, plan, late, orders)
    assert (before["a"].converted, before["a"].revenue, before["b"].converted) == (False, 0.0, True)
    assert (after["a"].converted, after["a"].revenue, after["b"].converted) == (True, 25.0, False)
    assert (after["x"].treated, after["x"].converted, after["x"].revenue) == (False, True, 7.0)


def test_a_sender_is_believed_in_what_it_tells_of_nearly_all_of_both_sides(spark):
    """Of 20 contacts and 10 held out: conversions of all, of which the held out's are told for so many; no revenue."""
    plan = [planned(f"a{n}") for n in range(20)] + [planned(f"x{n}", holdout=True) for n in range(10)]
    for told, believed in ((1, False), (8, False), (9, True)):
        outcomes = [sent(f"a{n}", "2024-06-01 10:00", n < 5, 9.0 if n < 2 else None) for n in range(20)]
        outcomes += [sent(f"x{n}", "2024-06-01 10:00", False, treated=False) for n in range(told)]
        found = responses(spark, plan, outcomes, [order("a19", "2024-06-02"), order("x0", "2024-06-02")])
        assert sum(row.converted for user, row in found.items() if user[0] == "a") == (5 if believed else 1)
        assert (found["x0"].converted, found["a0"].revenue) == (not believed, 0.0)
    assert (found["a19"].revenue, found["x0"].revenue) == (10.0, 10.0)  # by orders: that of three buyers is not told


def test_purchase_events_are_the_days_orders_and_spend_where_there_are_no_orders(spark):
    days = spark.createDataFrame(
        [("a", date(2024, 6, 1), 0, 0.0), ("a", date(2024, 6, 2), 2, 30.0)],
        "user_id string, day date, orders bigint, spend double",
    )
    schema = "event_id string, user_id string, event_type string, event_time timestamp, price double"
    events = [
        ("e1", "a", "purchase", at("2024-06-01 09:00"), 7.5),
        ("e2", "a", "purchase", at("2024-06-01 11:00"), 2.0),
    ]
    found = days_with(days, purchases_of(spark.createDataFrame(events, schema))).orderBy("day").collect()
    assert [(row.orders, row.spend) for row in found] == [(2, 9.5), (2, 30.0)]


def test_a_told_conversion_counts_only_within_the_window(spark):
    """Windows of 14 days from 10:00 on; what was told of day 60, or after as_of, is no conversion of the window."""
    times = {"a": "2024-06-15 09:59", "b": "2024-06-15 10:00", "c": "2024-07-31", "d": None, "x": "2024-06-20"}
    times["e"] = "2024-06-01 09:59"
    plan = [planned(user, holdout=user == "x") for user in times]
    outcomes = [
        sent(user, "2024-06-01 10:00", True, 25.0, treated=user != "x", converted_at=time)
        for user, time in times.items()
    ]
    found = responses(spark, plan, outcomes, [order("b", "2024-06-02")])
    counted = {user: (row.converted, row.revenue) for user, row in found.items()}
    assert counted == {"a": (True, 25.0), "d": (True, 25.0), **dict.fromkeys("bcex", (False, 0.0))}


def test_a_contact_on_another_day_counts_from_the_planned_day_on_as_for_who_is_held_out(spark):
    """The sender was late by days: sides of other calendars would be compared."""
    plan = [planned("a"), planned("b"), planned("c"), planned("x", holdout=True)]
    outcomes = [sent("a", "2024-06-05 10:00"), sent("b", "2024-05-31 10:00"), sent("c", "2024-06-01 08:00")]
    orders = [order(user, "2024-06-15 09:59") for user in "abcx"]
    found = responses(spark, plan, outcomes, orders)
    assert {user: str(row.starts_on) for user, row in found.items()} == dict.fromkeys("abcx", "2024-06-01")
    assert {user for user, row in found.items() if row.converted} == {"a", "b", "x"}


def test_a_planned_contact_that_was_not_sent_stays_on_its_side(spark):
    plan, outcomes = [planned("a"), planned("b")], [sent("a", "2024-06-01 10:00")]
    assert responses(spark, plan, outcomes)["b"].treated
    contacts = planned_contacts(spark.createDataFrame(plan, PLAN), spark.createDataFrame(outcomes, OUTCOME))
    assert {row.user_id: row.delivered for row in contacts.collect()} == {"a": True, "b": False}


def test_what_a_user_could_get_goes_with_the_row_and_is_null_where_the_plan_does_not_tell(spark):
    plan, outcomes = [planned("a"), planned("x", holdout=True)], [sent("a", "2024-06-01 10:00")]
    found = responses(spark, plan, outcomes)
    assert [found[user].allowed for user in "ax"] == [["coupon", "email"]] * 2
    untold = spark.createDataFrame(plan, PLAN).drop("allowed")
    contacts = planned_contacts(untold, spark.createDataFrame(outcomes, OUTCOME))
    assert [row.allowed for row in contacts.collect()] == [None, None]


def test_days_before_and_after_and_ratings_by_hand(spark):
    days = [("a", date(2024, 5, 24), 4.0), ("a", date(2024, 5, 25), 1.5), ("a", date(2024, 5, 31), 2.0)]
    days += [("a", date(2024, 6, 1), 9.0), ("a", date(2024, 6, 14), None), ("a", date(2024, 6, 15), 1.0)]
    ratings = [("a", at("2024-06-02"), 4.0), ("a", at("2024-06-03"), 1.0), ("a", at("2024-05-31"), 5.0)]
    row = responses(spark, [planned("a")], [sent("a", "2024-06-01 10:00")], days=days, ratings=ratings)["a"]
    assert (row.revenue_before, row.active_days, row.rating, row.ratings) == (3.5, 2, 5.0, 2)


def test_sums_are_those_of_numpy_and_no_partition_changes_a_bit(spark):
    rows = [
        ("c", f"u{n}", "s", "a", True, 0.5, date(2024, 6, 1), n % 3 == 0, n * 0.1, n * 0.2, n % 5, 4.0, n % 2)
        for n in range(60)
    ]
    schema = (
        "campaign_id string, user_id string, segment_name string, action string, treated boolean, propensity double,"
        " starts_on date, converted boolean, revenue double, revenue_before double, active_days int, rating double,"
        " ratings int"
    )
    frame = spark.createDataFrame(rows, schema)
    found = [evidence_of(add_up(frame.repartition(n)).collect()[0]) for n in (1, 4)]
    assert found[0] == found[1]
    sums, revenue, before = found[0].sums, [n * 0.1 for n in range(60)], [n * 0.2 for n in range(60)]
    assert (sums.users, sums.converted, sums.active_days, sums.raters) == (60, 20, 120, 30)
    assert sums.revenue == pytest.approx(sum(revenue))
    assert sums.revenue_squares == pytest.approx(sum(r * r for r in revenue))
    assert sums.products == pytest.approx(sum(r * b for r, b in zip(revenue, before, strict=True)))
    assert sums.rating == pytest.approx(30 * 4.0)
    assert (sums + Sums()) == sums


def test_windows_of_many_campaigns_are_what_pandas_finds_and_cost_no_product_of_campaigns_and_days(spark):
    """Forty campaigns a week apart over a user's year of orders, visits and ratings."""
    rng = np.random.default_rng(4)
    first, users = pd.Timestamp("2024-01-01"), ["a", "b", "c"]
    starts = [first + pd.Timedelta(days=7 * n, hours=int(rng.integers(0, 24))) for n in range(40)]
    spans = pd.DataFrame([(f"c{n}", user, start) for n, start in enumerate(starts) for user in users])
    spans.columns = ["campaign_id", "user_id", "starts_at"]
    times = [first + pd.Timedelta(minutes=int(n)) for n in rng.integers(-40 * 1440, 330 * 1440, 900)]
    did = pd.DataFrame({"user_id": rng.choice(users, 900), "time": times, "rating": rng.integers(1, 6, 900) * 1.0})
    contacts = spark.createDataFrame(
        spans.assign(segment_name="s", action="x", treated=True, propensity=0.5, delivered=True)
    ).selectExpr(
        "*",
        "CAST(NULL AS boolean) AS told_converted",
        "CAST(NULL AS double) AS told_revenue",
        "CAST(NULL AS timestamp) AS converted_at",
    )
    days = did.assign(day=did.time.dt.date, spend=1.25)[["user_id", "day", "spend"]].drop_duplicates(["user_id", "day"])
    bought = [
        (row.user_id, f"o{n}", row.time.to_pydatetime(), 1.0, 10.0, 0.0, "paid")
        for n, row in enumerate(did.itertuples())
    ]
    logs = {
        "orders": spark.createDataFrame(bought, ORDER),
        "ratings": spark.createDataFrame(did.rename(columns={"time": "rated_at"})),
        "user_days": spark.createDataFrame(days),
    }
    found = measure(contacts, logs, date(2025, 3, 1), CONFIG).toPandas().sort_values(["campaign_id", "user_id"])
    expected = spans.apply(lambda span: pd.Series(_by_hand(span, did, days)), axis=1)
    expected = pd.concat([spans, expected], axis=1).sort_values(["campaign_id", "user_id"])
    for name in ("revenue", "active_days", "revenue_before", "rating", "ratings"):
        assert found[name].fillna(0).tolist() == expected[name].tolist(), name
    joined = _near(
        spark.createDataFrame(spans.assign(starts_on=spans.starts_at.dt.date)), logs["user_days"], F.col("day"), 7, 14
    )
    assert joined.count() < len(spans) * len(days) / len(users) / 4


def _by_hand(span, did, days):
    inside = (did.user_id == span.user_id) & (did.time >= span.starts_at)
    window = did[inside & (did.time < span.starts_at + pd.Timedelta(days=14))]
    since = (pd.to_datetime(days.day) - span.starts_at.normalize()).dt.days
    own = days.user_id == span.user_id
    return {
        "revenue": 10.0 * len(window),
        "active_days": int((own & (since >= 0) & (since < 14)).sum()),
        "revenue_before": 1.25 * int((own & (since >= -7) & (since < 0)).sum()),
        "rating": window.rating.sum(),
        "ratings": len(window),
    }
