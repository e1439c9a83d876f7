from datetime import date

import pytest
from pyspark.sql import Row
from pyspark.sql import functions as F

from segspark.ingest.tally import FILTERED, FIT, REJECTED, add_up, count_files, count_parts


def part(url, block, rows, least, first, fit, rejected=0, filtered=0, **day):
    row = {"__url": url, "__block": block, "rows": rows, "least": least, "first": first}
    return Row(**row, fit=fit, rejected=rejected, filtered=filtered, **day)


def test_lines_go_on_from_part_to_part_of_a_file_in_the_order_of_the_parts():
    parts = [part("b", 900, 5, 2**33, FIT, 5), part("b", 0, 3, 10, FIT, 3), part("a", 0, 2, 0, FIT, 2)]
    found = add_up(parts, {"a": 1, "b": 2}, header_lines=0)
    lines = {
        (url, block): least + shift for (url, block, _, shift), least in zip(found.shifts, (0, 10, 2**33), strict=True)
    }
    assert lines == {("a", 0): 1, ("b", 0): 1, ("b", 900): 4}  # the line of each part's first row
    assert [seq for _, _, seq, _ in found.shifts] == [1, 2, 2]


@pytest.mark.parametrize(("first", "expected"), [(FIT, (4, 2, 1)), (REJECTED, (5, 1, 1)), (FILTERED, (5, 2, 0))])
def test_a_header_is_counted_nowhere_whatever_it_looks_like(first, expected):
    parts = [part("a", 64, 4, 9, FIT, 3, 1), part("a", 0, 4, 5, first, 2, 1, 1)]
    counts = add_up(parts, {"a": 7}, header_lines=1).counts
    assert (counts.accepted[7], counts.quarantined[7], counts.filtered[7]) == expected


def test_parts_by_day_are_parts_once_and_only_days_of_fit_rows_are_told():
    days = [date(2024, 1, 2), date(2024, 1, 1), None]
    parts = [
        part("a", 0, 2, 3, FIT, 2, day=days[0]),
        part("a", 0, 1, 1, FIT, 1, day=days[1]),
        part("a", 0, 2, 0, REJECTED, 0, 2, day=days[2]),
    ]
    found = add_up(parts, {"a": 1}, header_lines=1)
    assert found.days == [date(2024, 1, 1), date(2024, 1, 2)]
    assert found.shifts == [("a", 0, 1, 1)]
    assert (found.counts.accepted[1], found.counts.quarantined[1]) == (3, 1)


def test_a_file_without_rows_has_counts_of_none():
    found = add_up([], {"a": 1}, header_lines=1)
    assert (found.shifts, found.days, found.counts.accepted, found.counts.quarantined) == ([], [], {1: 0}, {1: 0})


def test_parts_of_judged_rows_are_counted_by_what_the_rows_are(spark):
    rows = [("a", 0, 0, None, False), ("a", 0, 1, "bad", False), ("a", 0, 2, None, True), ("b", 0, 4, "bad", False)]
    judged = spark.createDataFrame(
        rows, "__url string, __block bigint, __id bigint, __problem string, __filtered boolean"
    )
    found = {row["__url"]: row for row in count_parts(judged.repartition(3), by_day=False).collect()}
    assert found["a"] == part("a", 0, 3, 0, FIT, 1, 1, 1)
    assert found["b"] == part("b", 0, 1, 4, REJECTED, 0, 1, 0)


def test_files_are_counted_once_their_keys_were_looked_at(spark):
    rows = [(1, True, None), (1, False, "duplicate"), (1, False, None), (2, True, None)]
    placed = spark.createDataFrame(rows, "ingest_seq bigint, __ok boolean, __problem string")
    found = count_files(placed).orderBy("ingest_seq").collect()
    assert [tuple(row) for row in found] == [(1, 1, 1), (2, 1, 0)]
    assert count_files(placed.where(F.lit(False))).isEmpty()
