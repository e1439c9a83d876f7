"""A lake in a folder, written by delta-rs and read without Spark."""

from datetime import date, datetime, timezone
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from deltalake import DeltaTable, write_deltalake

from segspark.core.contracts import (
    CAMPAIGN_PLAN,
    EVENTS,
    PUBLICATIONS,
    RECOMMENDATIONS,
    RUNS,
    SEGMENTS,
    USER_FEATURES,
    USER_SIMILARITY,
    USERS,
)
from segspark.core.delta_rs import DeltaRs
from segspark.core.errors import LakeError
from segspark.core.folder_lake import FolderLake, lock
from segspark.core.parquet_files import added_file
from tests.lakes import add_rows

NOON = datetime(2024, 3, 1, 12, 0, 0, 123456, tzinfo=timezone.utc)


@pytest.fixture
def root(tmp_path):
    return tmp_path / "lake"


def files_read(lake, *asked):
    return {Path(path).name for path in lake.relation(*asked).files}


def test_a_table_that_was_never_written_is_empty_and_nothing_is_published(root):
    lake = FolderLake(str(root))
    assert not lake.exists(SEGMENTS) and lake.columns(SEGMENTS) == []
    assert lake.rows(RUNS) == [] and lake.rows_of_run(SEGMENTS, "r-1") == []
    assert lake.published_run() is None
    assert not root.exists(), "who reads makes nothing"


def test_rows_come_back_as_they_were_written_with_times_in_utc(root):
    act = {"seq": 1, "run_id": "r-1", "published_at": NOON, "by": "me", "reason": "run", "rows": {"segments": 2}}
    add_rows(root, PUBLICATIONS, [act])
    (row,) = FolderLake(str(root)).rows(PUBLICATIONS)
    assert row == {**act, "digests": None}
    assert row.published_at == NOON and row.published_at.tzinfo is not None
    assert row["rows"] == {"segments": 2}


def test_structs_in_lists_are_rows(root):
    near = [{"neighbour_id": "b", "similarity": 0.5}, {"neighbour_id": "c", "similarity": 0.25}]
    add_rows(root, USER_SIMILARITY, [{"method": "cosine", "user_id": "a", "neighbours": near}], "r-1")
    (row,) = FolderLake(str(root)).rows_of_user(USER_SIMILARITY, "r-1", "a")
    assert row.neighbours == near and row.neighbours[0].neighbour_id == "b"


def test_of_several_runs_only_the_files_of_the_one_that_is_asked_are_read(root):
    for run_id, name in (("r-1", "loyal"), ("r-2", "rare")):
        add_rows(root, SEGMENTS, [{"scheme": "value", "segment_id": 0, "name": name}], run_id)
    lake = FolderLake(str(root))
    assert [row.name for row in lake.rows_of_run(SEGMENTS, "r-2")] == ["rare"]
    assert "run_id" not in lake.rows_of_run(SEGMENTS, "r-2")[0]
    assert len(files_read(lake, SEGMENTS)) == 2 and len(files_read(lake, SEGMENTS, ["r-2"])) == 1
    assert files_read(lake, SEGMENTS, []) == set() and lake.rows_of_run(SEGMENTS, "r-3") == []


def test_a_look_up_of_a_user_opens_only_files_that_may_hold_their_bucket(root):
    users = [f"u{number}" for number in range(40)]
    for user in users:  # one file each
        add_rows(root, RECOMMENDATIONS, [{"method": "als", "user_id": user, "rank": 1, "item_id": "i"}], "r-1")
    lake = FolderLake(str(root))
    for user in users[:3]:
        assert [row.user_id for row in lake.rows_of_user(RECOMMENDATIONS, "r-1", user)] == [user]
    (row,) = lake.rows_of_user(RECOMMENDATIONS, "r-1", "u7")
    assert len(files_read(lake, RECOMMENDATIONS, ["r-1"], row.user_bucket)) == 1
    assert lake.rows_of_user(RECOMMENDATIONS, "r-1", "u7' OR '1'='1") == []


def test_a_column_that_the_contract_gained_is_null_and_an_open_one_is_there(root):
    older = pa.table(
        {"run_id": ["r-1"], "user_id": ["a"], "frequency": [3.0], "user_bucket": pa.array([7], pa.int32())}
    )
    write_deltalake(f"{root}/{USER_FEATURES.name}", older, partition_by=["run_id"])
    lake = FolderLake(str(root))
    (row,) = lake.rows_of_run(USER_FEATURES, "r-1")
    assert row.frequency == 3.0 and row.as_of is None
    assert lake.columns(USER_FEATURES) == ["run_id", "user_id", "frequency", "user_bucket"]


def test_files_of_before_a_column_was_added_are_read_with_those_of_after(root):
    write_deltalake(f"{root}/{RUNS.name}", pa.table({"run_id": ["r-1"], "stage": ["ingest"]}))
    write_deltalake(
        f"{root}/{RUNS.name}",
        pa.table({"run_id": ["r-2"], "stage": ["ingest"], "note": ["here"]}),
        mode="append",
        schema_mode="merge",
    )
    assert {(row.run_id, row.note) for row in FolderLake(str(root)).rows(RUNS)} == {("r-1", None), ("r-2", "here")}


def test_a_table_that_an_older_version_partitioned_by_day_is_read_whole(root):
    events = pa.table({"event_id": ["a", "b"], "day": [date(2024, 3, 1), date(2024, 3, 2)]})
    write_deltalake(f"{root}/{EVENTS.name}", events, partition_by=["day"])
    lake = FolderLake(str(root))
    found = lake.database().execute(f"SELECT event_id, day, price FROM ({lake.relation(EVENTS).sql})").fetchall()
    assert sorted(found) == [("a", date(2024, 3, 1), None), ("b", date(2024, 3, 2), None)]


def test_times_that_spark_wrote_before_as_int96_are_those_that_are_written_now(root):
    add_rows(root, RUNS, [{"run_id": "now", "started_at": NOON}])
    table = DeltaTable(f"{root}/{RUNS.name}").to_pyarrow_table()
    before = table.set_column(0, "run_id", pa.array(["before"]))
    place = root / RUNS.name / "before.parquet"
    pq.write_table(before, place, use_deprecated_int96_timestamps=True)
    DeltaRs(str(root)).commit(RUNS.name, [added_file(place, place.parent, None, RUNS)])
    assert {row.run_id: row.started_at for row in FolderLake(str(root)).rows(RUNS)} == {"now": NOON, "before": NOON}


@pytest.mark.parametrize("name", ["it's a lake", "two  words", "zürich 店", "50% {off}", "a*b?", "#1&2;"])
def test_the_folder_may_have_any_name(tmp_path, name):
    root = tmp_path / name
    add_rows(root, SEGMENTS, [{"scheme": "value", "segment_id": 0, "name": "loyal"}], "r-1")
    lake = FolderLake(str(root))
    assert [row.name for row in lake.rows_of_run(SEGMENTS, "r-1")] == ["loyal"]
    relation, database = lake.relation(SEGMENTS, ["r-1"]), lake.database()
    database.execute(f"CREATE VIEW there AS {relation.sql}")
    lock(database, [relation])
    assert database.execute("SELECT name FROM there").fetchall() == [("loyal",)]


def test_a_table_that_needs_a_newer_reader_is_told_with_what_to_do(root):
    DeltaRs(str(root)).create(RUNS, {"delta.enableDeletionVectors": "true"})
    write_deltalake(f"{root}/{RUNS.name}", pa.table({"run_id": ["r-1"]}), mode="append", schema_mode="merge")
    with pytest.raises(LakeError, match=r"runs: its files do not hold the rows as they are .* --engine spark"):
        FolderLake(str(root)).rows(RUNS)


def test_a_file_that_is_gone_or_damaged_is_told_in_one_line_with_what_to_do(root):
    add_rows(root, RUNS, [{"run_id": "r-1"}])
    (path,) = (root / RUNS.name).glob("*.parquet")
    path.write_bytes(b"not parquet")
    with pytest.raises(LakeError, match=r"^runs: cannot be read without Spark .*--engine spark$"):
        FolderLake(str(root)).rows(RUNS)
    path.unlink()
    with pytest.raises(LakeError, match=r"^runs: cannot be read without Spark .*--engine spark$"):
        FolderLake(str(root)).look_at(RUNS)


def test_a_select_in_sparks_words_sees_the_run_and_the_whole_log(root):
    for run_id in ("r-1", "r-2"):
        plan = [{"campaign_id": "july", "user_id": user, "items": ["x", "y"]} for user in (run_id, "both")]
        add_rows(root, CAMPAIGN_PLAN, plan, run_id)
    add_rows(root, USERS, [{"user_id": user, "consent": user != "both"} for user in ("r-1", "r-2", "both")])
    asked = """SELECT user_id, array_join(items, ' ') AS items FROM {campaign_plan}
        WHERE campaign_id = :campaign AND user_id IN (SELECT user_id FROM {users} WHERE consent)"""
    lake = FolderLake(str(root))
    found = lake.select("r-2", asked, campaign="july")
    assert found.database.execute(found.sql).fetchall() == [("r-2", "x y")]
    nothing = lake.select("r-2", asked, campaign="' OR 1=1 --")
    assert nothing.database.execute(nothing.sql).fetchall() == []
