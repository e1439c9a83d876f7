from datetime import date

from segspark.core.arrow_rows import Row
from segspark.ingest.checks.quality import (
    Rejected,
    commonest,
    count_rejected,
    measure_logs,
    notes,
    of_ledger,
    of_log,
    of_new_files,
    of_quarantine,
    refusal,
)
from segspark.ingest.config import IngestConfig

CONFIG = IngestConfig(max_quarantined_share=0.1, max_repeated_share=0.01)


def file(source, seq, rows_in, accepted, quarantined, filtered=0, repeated=0, problem=None):
    counts = {"rows_in": rows_in, "accepted": accepted, "quarantined": quarantined, "filtered": filtered}
    return Row(source=source, ingest_seq=seq, **counts, repeated=repeated, problem=problem)


FILES = [
    file("orders", 1, 100, 80, 12, 8, repeated=4),
    file("orders", 2, 20, 0, 20, problem="the file is cut off"),
    file("events", 3, 10, 9, 1),
]


def values(checks):
    return {(check["source"], check["check"]): (check["value"], check["passed"]) for check in checks}


def test_sums_over_the_files_of_a_source_are_held_against_their_bounds():
    found = values(of_ledger(FILES, CONFIG))
    assert found["orders", "files"] == (2, True)
    assert found["orders", "rows_in"] == (120, True)
    assert found["orders", "rows unaccounted for"] == (0, True)
    assert found["orders", "unreadable files"] == (1, False)
    assert found["orders", "share quarantined"] == (32 / 120, False)
    assert found["orders", "share of exact repeats"] == (4 / 80, False)
    assert found["events", "share quarantined"] == (0.1, True)
    assert values(of_new_files(FILES[2:], CONFIG)) == {("events", "share quarantined of new rows"): (0.1, True)}
    assert values(of_ledger([file("items", 1, 0, 0, 0)], CONFIG))["items", "share quarantined"] == (0, True)


REJECTED = [
    Rejected("orders", "empty line", None, True, 12),
    Rejected("orders", "the file is cut off", 2, True, 1),
    Rejected("events", "price is negative", None, True, 1),
    Rejected("orders", "price is negative", None, False, 500),
]


def test_an_unreadable_file_weighs_as_many_rows_as_it_stands_for():
    assert commonest(FILES, REJECTED) == ("orders", "the file is cut off", 20)
    assert commonest(FILES, REJECTED[2:]) == ("events", "price is negative", 1)
    assert commonest(FILES, []) is None


def test_the_source_with_the_largest_share_of_bad_rows_is_refused_with_its_commonest_reason():
    told = refusal(FILES, REJECTED, CONFIG, after="r1-1")
    assert told is not None
    assert told.startswith("orders: 27% of the 120 rows read since run r1-1 are in quarantine, more than the 10% ")
    assert "most often: the file is cut off (20 rows)" in told
    assert refusal(FILES[2:], REJECTED, CONFIG, after=None) is None
    assert refusal([], [], CONFIG, after=None) is None


def test_rows_in_quarantine_are_counted_where_they_are_alike(spark):
    rows = [
        ("orders", 3, "2 fields where the header has 7", 1),
        ("orders", 4, "9 fields where the header has 7", 1),
        ("orders", 0, "the file is cut off", 2),
        ("orders", 0, "the file is cut off", 3),
        ("orders", 9, "empty line", 4),
    ]
    frame = spark.createDataFrame(rows, "source string, line bigint, reason string, ingest_seq bigint")
    found = [Rejected(*row) for row in count_rejected(frame, published=2).collect()]
    fields = "another number of fields where the header has 7"
    assert sorted(found, key=lambda each: (each.reason, each.file or 0)) == [
        Rejected("orders", fields, None, False, 2),
        Rejected("orders", "empty line", None, True, 1),
        Rejected("orders", "the file is cut off", 2, False, 1),
        Rejected("orders", "the file is cut off", 3, True, 1),
    ]
    assert values(of_quarantine(found))["orders", "quarantined: the file is cut off"] == (2, True)


def test_logs_are_measured_against_the_day_of_the_run(spark):
    orders = spark.createDataFrame(
        [(None, date(2024, 1, 5)), ("ann", date(2024, 1, 3)), ("bob", date(2024, 1, 9))], "user_id string, day date"
    )
    items = spark.createDataFrame([("tea",), ("cake",)], "item_id string")
    ratings = spark.createDataFrame([], "user_id string, day date")
    as_of = date(2024, 1, 9)
    measured = {
        row.source: row.asDict()
        for row in measure_logs({"orders": orders, "items": items, "ratings": ratings}, as_of).collect()
    }
    found = values(check for name in ("orders", "items", "ratings") for check in _of(measured, name, as_of))
    assert found == {
        ("orders", "share without a user"): (1 / 3, True),
        ("orders", "days from the newest row to as_of"): (4, True),
        ("orders", "rows on or after as_of"): (1, True),
        ("items", "rows"): (2, True),
        ("ratings", "share without a user"): (0, True),
        ("ratings", "days from the newest row to as_of"): (None, False),
        ("ratings", "rows on or after as_of"): (0, True),
    }
    failed = notes(check for name in measured.keys() | {"ratings"} for check in _of(measured, name, as_of))
    assert failed == ("quality: ratings: days from the newest row to as_of is unknown, allowed 31",)


def _of(measured, name, as_of):
    return of_log(measured.get(name), name, CONFIG, as_of)
