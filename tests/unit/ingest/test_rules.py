from datetime import datetime, timezone

import pytest

from segspark.ingest.config import LOGS, IngestConfig
from segspark.ingest.rules import judge
from tests.builders import at

NOW = datetime(2024, 6, 1, tzinfo=timezone.utc)
GOOD = {
    "events": {"user_id": "u", "event_time": at("2024-03-01"), "event_type": "View", "event_id": "e", "price": 1.0},
    "orders": {
        "order_id": "o",
        "line": 1,
        "item_id": "i",
        "order_time": at("2024-03-01"),
        "quantity": 2.0,
        "unit_price": 5.0,
        "discount": 1.0,
        "status": "PAID",
    },
    "users": {"user_id": "u", "age": 30, "income": 1.0, "signup_time": at("1990-01-01")},
    "items": {"item_id": "i", "price": 1.0, "embedding": [1.0]},
    "ratings": {"user_id": "u", "item_id": "i", "rated_at": at("2024-03-01"), "rating": 4.0},
    "outcomes": {
        "campaign_id": "c",
        "user_id": "u",
        "sent_at": at("2024-03-01 10:00"),
        "treated": True,
        "converted": True,
        "converted_at": at("2024-03-01 10:00"),
        "revenue": 0.0,
        "propensity": 1.0,
    },
}
BROKEN = [
    *(("events", {"user_id": nobody}, "user_id is missing") for nobody in ("NaN", "null", "None", "undefined", "n/a")),
    ("events", {"user_id": None}, "user_id is missing"),
    ("events", {"event_time": None}, "event_time is missing"),
    ("events", {"event_type": None}, "event_type is missing"),
    ("events", {"event_id": None}, "event_id is missing"),
    ("events", {"event_type": "hover"}, "event_type is none of impression, view, "),
    ("events", {"event_time": at("2024-06-01 00:00:01")}, "event_time is in the future"),
    ("events", {"event_time": at("1994-12-31 23:59")}, "event_time is before 1995-01-01"),
    ("events", {"price": -0.01}, "price is negative"),
    ("events", {"price": 1_000_001.0}, "price is above 1,000,000"),
    ("events", {"price": float("nan")}, "price is not a finite number"),
    ("orders", {"order_id": None}, "order_id is missing"),
    ("orders", {"line": None}, "line is missing"),
    ("orders", {"item_id": None}, "item_id is missing"),
    ("orders", {"quantity": None}, "quantity is missing"),
    ("orders", {"quantity": -1.0}, "quantity is negative; a refund is told by status"),
    ("orders", {"quantity": 100_001.0}, "quantity is above 100,000"),
    ("orders", {"quantity": float("-inf")}, "quantity is not a finite number"),
    ("orders", {"discount": -1.0}, "discount is negative"),
    ("orders", {"discount": 10.02}, "discount is more than the line costs"),
    ("orders", {"status": "lost"}, "status is none of paid, refunded, cancelled"),
    ("orders", {"order_time": at("2030-01-01")}, "order_time is in the future"),
    ("users", {"user_id": None}, "user_id is missing"),
    ("users", {"age": 121}, "age is outside 0 to 120"),
    ("users", {"income": -1.0}, "income is negative"),
    ("items", {"price": float("inf")}, "price is not a finite number"),
    ("items", {"embedding": [1.0, float("nan")]}, "embedding has an element that is no finite number"),
    ("ratings", {"rating": None}, "rating is missing"),
    ("ratings", {"rating": float("nan")}, "rating is not a finite number"),
    ("outcomes", {"campaign_id": None}, "campaign_id is missing"),
    ("outcomes", {"treated": None}, "treated is missing"),
    ("outcomes", {"sent_at": at("2024-06-01 00:00:01")}, "sent_at is in the future"),
    ("outcomes", {"converted_at": at("2024-03-01 09:59")}, "converted_at is before sent_at"),
    ("outcomes", {"converted": False, "converted_at": at("2024-03-02")}, "converted_at is told, but not converted"),
    ("outcomes", {"revenue": -1.0}, "revenue is negative"),
    ("outcomes", {"converted": False, "converted_at": None, "revenue": 2.0}, "revenue is told, but not converted"),
    ("outcomes", {"propensity": 0.0}, "propensity is outside 0 to 1"),
    ("outcomes", {"propensity": 1.1}, "propensity is outside 0 to 1"),
    ("outcomes", {"revenue": float("nan")}, "revenue is not a finite number"),
]
FINE = [
    ("events", {}),
    ("events", {"price": None, "item_id": None}),
    ("events", {"event_time": at("1995-01-01")}),
    ("orders", {}),
    ("orders", {"user_id": None, "discount": None}),
    ("orders", {"discount": 10.0}),
    ("orders", {"status": "Refunded", "quantity": 0.0, "discount": 0.0}),
    ("users", {}),
    ("users", {"age": None}),
    ("items", {}),
    ("ratings", {}),
    ("outcomes", {}),
    ("outcomes", {"treated": False, "converted": None, "converted_at": None, "revenue": None, "propensity": None}),
]


def problems(spark, name, changes):
    types = {column.name: column.type for column in LOGS[name].columns}
    schema = ", ".join(f"{column} {types[column]}" for column in [*GOOD[name], *extra(name, changes)])
    rows = [
        (number, None, False, *({**GOOD[name], **dict.fromkeys(extra(name, changes)), **change}.values()))
        for number, change in enumerate(changes)
    ]
    frame = spark.createDataFrame(rows, f"n int, __problem string, __filtered boolean, {schema}")
    judged = judge(frame, name, IngestConfig(), NOW)
    return [row["__problem"] for row in judged.orderBy("n").collect()], judged


def extra(name, changes):
    return sorted({column for change in changes for column in change} - set(GOOD[name]))


@pytest.mark.parametrize("name", list(LOGS))
def test_each_broken_rule_is_the_reason_and_sound_rows_have_none(spark, name):
    broken = [(change, reason) for source, change, reason in BROKEN if source == name]
    fine = [change for source, change in FINE if source == name]
    found, judged = problems(spark, name, [change for change, _ in broken] + fine)
    for (_, reason), told in zip(broken, found, strict=False):
        assert told is not None and told.startswith(reason)
    assert found[len(broken) :] == [None] * len(fine)
    assert set(LOGS[name].names) - {"ingest_seq"} <= set(judged.columns)


def test_order_columns_that_are_not_mapped_have_their_defaults(spark):
    frame = spark.createDataFrame(
        [("o", "i", at("2024-03-01 23:00"), None, False)],
        "order_id string, item_id string, order_time timestamp, __problem string, __filtered boolean",
    )
    row = judge(frame, "orders", IngestConfig(), NOW).first()
    assert (row.quantity, row.discount, row.status, str(row.day), row.line) == (1.0, 0.0, "paid", "2024-03-01", None)
    assert row["__problem"] is None


def test_a_filtered_row_breaks_no_rule(spark):
    frame = spark.createDataFrame(
        [(None, None, None, None, True)],
        "order_id string, item_id string, order_time timestamp, __problem string, __filtered boolean",
    )
    assert judge(frame, "orders", IngestConfig(), NOW).first()["__problem"] is None
