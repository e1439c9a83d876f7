"""What a person would read off each text; the right column was written by hand."""

import pytest

from segspark.core.contracts import ORDERS, USERS
from segspark.ingest.config import SourceConfig
from segspark.ingest.mapping import NEEDS_DECIMAL, map_columns

NO_NUMBER = "unit_price is not a number"
NEEDS = f"unit_price {NEEDS_DECIMAL}"

BY_PROGRAMS = {  # whatever `decimal` says
    "12": 12.0,
    "+7": 7.0,
    "-7": -7.0,
    "12d": NO_NUMBER,
    "5f": NO_NUMBER,
    "0x1p3": NO_NUMBER,
    "1_000": NO_NUMBER,
    "12 34": NO_NUMBER,
    "(12": NO_NUMBER,
    "about 12": NO_NUMBER,
    "12,34,56": NO_NUMBER,
    "--1": NO_NUMBER,
    "€": NO_NUMBER,
    ".": NO_NUMBER,
}
BY_POINT = {"1.5": 1.5, ".5": 0.5, "5.": 5.0}
BY_PEOPLE = {  # where `decimal` says anything
    "\u22127": -7.0,
    "€ 12": 12.0,
    "12\u00a0€": 12.0,
    "$-3": -3.0,
    "-$3": -3.0,
    "EUR 8": 8.0,
    "8 GBP": 8.0,
    "(12)": -12.0,
    "($12)": -12.0,
}
CASES = [
    *((each, text, value) for each in (None, "point", "comma") for text, value in BY_PROGRAMS.items()),
    *((each, text, value) for each in (None, "point") for text, value in BY_POINT.items()),
    *((each, text, value) for each in ("point", "comma") for text, value in BY_PEOPLE.items()),
    *((None, text, NEEDS) for text in BY_PEOPLE),
    (None, "1e3", 1000.0),
    ("point", "1.5E-2", 0.015),
    ("point", "(12.00)", -12.0),
    ("point", "€ 12.50", 12.5),
    ("point", "1,234.56", 1234.56),
    ("point", "1,234", 1234.0),
    ("point", "12,345,678.9", 12345678.9),
    ("point", "1'234.50", 1234.5),
    ("point", "1 234.50", 1234.5),
    ("point", "1,234'567.5", NO_NUMBER),
    ("point", "1.234,56", NEEDS),
    ("point", "1,5", NEEDS),
    ("comma", "1.234,56", 1234.56),
    ("comma", "€ 1.000.000,00", 1000000.0),
    ("comma", "1.234", 1234.0),
    ("comma", "1,5", 1.5),
    ("comma", ",5", 0.5),
    ("comma", "1.5", NEEDS),
    ("comma", "1,234.56", NEEDS),
    (None, "1,234", NEEDS),
    (None, "1.234,56", NEEDS),
    (None, "1,234.56", NEEDS),
    (None, "1,5", NEEDS),
]


@pytest.fixture(scope="module")
def read(spark):
    """By `decimal` and text what is read, or why it is rejected: one query for each `decimal`."""
    found = {}
    for decimal in (None, "point", "comma"):
        texts = [(text,) for each, text, _ in CASES if each == decimal]
        rows = spark.createDataFrame([("", None, *text) for text in texts], "__raw string, __problem string, p string")
        source = SourceConfig(path="x", columns={"unit_price": "p"}, decimal=decimal)
        for row in map_columns(rows, source, ORDERS, ["p"]).collect():
            found[decimal, row.p] = row["__problem"] or row.unit_price
    return found


@pytest.mark.parametrize(("decimal", "text", "value"), CASES)
def test_a_number_is_what_a_person_would_write(read, decimal, text, value):
    assert read[decimal, text] == value


def test_what_is_a_number_already_has_a_point_whatever_decimal_says(spark):
    rows = spark.createDataFrame([("", None, "3")], "__raw string, __problem string, p string")
    columns = {"unit_price": "cast(p as double) / 2", "quantity": "p"}
    (row,) = map_columns(rows, SourceConfig(path="x", columns=columns, decimal="comma"), ORDERS, []).collect()
    assert (row["__problem"], row.unit_price, row.quantity) == (None, 1.5, 3.0)


def test_an_id_that_comes_as_a_number_is_told_in_digits(spark):
    rows = spark.createDataFrame(
        [("", None, number) for number in (12345678.0, 12340.0, 0.5, 1e20, -3.25, None)],
        "__raw string, __problem string, id double",
    )
    source = SourceConfig(path="x", format="parquet", columns={"user_id": "id", "region": "concat('r-', id)"})
    found = map_columns(rows, source, USERS, []).collect()
    assert [row.user_id for row in found] == ["12345678", "12340", "0.5", "100000000000000000000", "-3.25", None]
