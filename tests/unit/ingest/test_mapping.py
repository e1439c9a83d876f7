from datetime import datetime

import pytest

from segspark.core.contracts import EVENTS, ITEMS, ORDERS, USERS
from segspark.core.errors import InputError
from segspark.ingest.config import SourceConfig
from segspark.ingest.mapping import NEEDS_DECIMAL, check_expressions, map_columns

RAW = "__raw string, __problem string, no string, qty string, at string"


def mapped(spark, rows, contract, columns, where=None):
    frame = spark.createDataFrame([("", None, *row) for row in rows], RAW)
    return map_columns(frame, SourceConfig(path="x", columns=columns, where=where), contract, ["no"]).collect()


def test_an_expression_that_throws_names_its_column_and_spares_the_other_rows(spark):
    # Both columns and the condition share cast(qty AS int), which Spark would evaluate once, outside of the guard.
    columns = {
        "order_id": "no",
        "quantity": "cast(qty AS int)",
        "status": "if(cast(qty AS int) < 0, 'cancelled', 'paid')",
        "unit_price": "coalesce(10 / cast(qty AS int), 0)",
        "order_time": "to_timestamp(at, 'yyyy-MM-dd')",
    }
    rows = [("1", "4", "2024-01-02"), ("2", "x", "2024-01-02"), ("3", "0", "2024-01-02"), ("4", "-2", "never")]
    found = {row.no: row for row in mapped(spark, rows, ORDERS, columns)}
    assert (found["1"].quantity, found["1"].unit_price, found["1"].status) == (4.0, 2.5, "paid")
    assert found["1"].order_time == datetime(2024, 1, 2)
    assert [found[no]["__problem"] for no in "1234"] == [
        None,
        "the expression for quantity fails on this row",
        "the expression for unit_price fails on this row",
        "the expression for order_time fails on this row",
    ]
    shared = mapped(spark, rows, ORDERS, columns, where="cast(qty AS int) <> 0")
    assert {row.no: (row["__problem"], row["__filtered"]) for row in shared} == {
        "1": (None, False),
        "2": ("`where` fails on this row", False),
        "3": (None, True),
        "4": ("the expression for order_time fails on this row", False),
    }


def test_a_condition_that_is_null_filters_the_row(spark):
    found = mapped(spark, [("1", None, None), ("2", "3", None)], ORDERS, {"order_id": "no"}, where="qty = '3'")
    assert {row.no: row["__filtered"] for row in found} == {"1": True, "2": False}


@pytest.mark.parametrize(
    ("contract", "column", "text", "value"),
    [
        (USERS, "age", " 34.0 ", 34),
        (USERS, "age", "34.5", "age is not a whole number"),
        (USERS, "age", "99999999999", "age is not a whole number"),
        (USERS, "income", "1e3", 1000.0),
        (USERS, "income", "1,000", f"income {NEEDS_DECIMAL}"),
        (USERS, "income", "1000d", "income is not a number"),
        (USERS, "consent", "true", True),
        (USERS, "consent", "maybe", "consent is not true or false"),
        (USERS, "region", "   ", None),
        (USERS, "signup_time", "2024-03-01T10:00:00+02:00", datetime(2024, 3, 1, 8)),
        (USERS, "signup_time", "12:30", "signup_time is not a time"),
        (ITEMS, "embedding", "[1, 2.5]", [1.0, 2.5]),
        (ITEMS, "embedding", "1, 2.5", "embedding is not a list of numbers"),
        (EVENTS, "item_id", "\t x y ", "x y"),
    ],
)
def test_values_take_the_type_of_the_contract_or_are_told(spark, contract, column, text, value):
    row = mapped(spark, [("1", text, None)], contract, {column: "qty"})[0]
    assert (row["__problem"] or row[column]) == value


def test_a_list_stays_a_list(spark):
    row = mapped(spark, [("1", "2", None)], ITEMS, {"embedding": "array(cast(qty AS double), 0.5)"})[0]
    assert row.embedding == [2.0, 0.5]


def test_an_expression_that_spark_does_not_understand_is_named(spark):
    frame = spark.createDataFrame([], RAW)
    source = SourceConfig(path="x", columns={"user_id": "concat(array(no), 1.5)"})
    with pytest.raises(InputError, match=r"sources\.users\.columns\.user_id: "):
        check_expressions(frame, "users", source)
    with pytest.raises(InputError, match=r"sources\.users\.where: is string; give a condition"):
        check_expressions(frame, "users", SourceConfig(path="x", columns={"user_id": "no"}, where="no"))
