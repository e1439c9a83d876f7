"""The driver's tables as an earlier version made them: with other comments, fewer columns, fewer parts of a column."""

from dataclasses import replace
from datetime import datetime, timezone

from segspark.core.contracts import RUNS

NOW = datetime(2024, 1, 2, tzinfo=timezone.utc)


def row(contract, run_id, **values):
    told = {"run_id": run_id, "stage": "run", "status": "done", "started_at": NOW, "heartbeat_at": NOW, **values}
    return {name: told.get(name) for name in contract.names}


def older(*without, **types):
    columns = [
        replace(column, comment="as it was once told", type=types.get(column.name, column.type))
        for column in RUNS.columns
        if column.name not in without
    ]
    return replace(RUNS, columns=tuple(columns))


def test_rows_are_added_to_a_table_with_other_comments(lake):
    lake.append_rows(older(), [row(RUNS, "r1-1")])
    assert lake.append_rows(RUNS, [row(RUNS, "r2-1")], if_count=1)
    assert {each.run_id for each in lake.rows(RUNS)} == {"r1-1", "r2-1"}


def test_a_column_that_the_table_lacks_is_added_and_null_before(lake):
    before = older("parts")
    lake.append_rows(before, [row(before, "r1-1")])
    lake.append_rows(RUNS, [row(RUNS, "r2-1", parts=[{"fingerprint": "f", "rows": 3, "note": None}])])
    assert {each.run_id: each.parts for each in lake.rows(RUNS)} == {
        "r1-1": None,
        "r2-1": [{"fingerprint": "f", "rows": 3, "note": None}],
    }


def test_a_part_of_a_column_that_the_table_lacks_is_added_and_null_before(lake):
    before = older(parts="array<struct<fingerprint:string,note:string>>")
    lake.append_rows(before, [row(before, "r1-1", parts=[{"fingerprint": "e", "note": "x"}])])
    lake.append_rows(RUNS, [row(RUNS, "r2-1", parts=[{"fingerprint": "f", "rows": 3, "note": None}])])
    found = {each.run_id: each.parts[0] for each in lake.rows(RUNS)}
    assert (found["r1-1"].fingerprint, found["r1-1"].rows, found["r1-1"].note) == ("e", None, "x")
    assert (found["r2-1"].fingerprint, found["r2-1"].rows) == ("f", 3)
    assert lake.read(RUNS).count() == 2
