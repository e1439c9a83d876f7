"""One set of claims for every writer of the lake: a folder (delta-rs), a URL (both) and a catalogue (Spark alone)."""

import json
from concurrent.futures import ThreadPoolExecutor
from datetime import datetime, timezone
from pathlib import Path
from urllib.parse import urlsplit

import pytest
from deltalake import DeltaTable

from segspark.core.contracts import (
    CAMPAIGNS,
    ITEM_DAYS,
    PUBLICATIONS,
    RUNS,
    SEGMENTS,
    USER_DAYS,
    USER_FEATURES,
    USER_SIMILARITY,
)
from segspark.core.errors import ContractError, LakeError
from segspark.core.lake import Lake
from tests.builders import day, rows_of

SEGMENT = {"scheme": "value", "segment_id": 3, "name": "loyal", "size": 7, "share": 0.25, "centroid": [1.0, None]}
BEGUN = datetime(2024, 3, 1, 10, 0, 0, 123456, tzinfo=timezone.utc)


def segment(**values):
    return dict.fromkeys(SEGMENTS.names) | SEGMENT | values


def entry(**values):
    return dict.fromkeys(RUNS.names) | {"run_id": "r-1", "stage": "features", "heartbeat_at": BEGUN} | values


@pytest.fixture(params=["folder", "url", "catalogue"])
def written(request, spark, tmp_path):
    """A lake of each kind, and the folder in which its tables are."""
    if request.param == "folder":
        return Lake(spark, str(tmp_path / "lake")), tmp_path / "lake"
    if request.param == "url":
        return Lake(spark, (tmp_path / "lake").as_uri()), tmp_path / "lake"
    schema = f"writers_{tmp_path.name}".replace("-", "_")
    spark.sql(f"CREATE SCHEMA {schema}")
    request.addfinalizer(lambda: spark.sql(f"DROP SCHEMA {schema} CASCADE"))
    described = {row.info_name: row.info_value for row in spark.sql(f"DESCRIBE SCHEMA {schema}").collect()}
    return Lake(spark, f"spark_catalog.{schema}"), Path(urlsplit(described["Location"]).path)


@pytest.fixture
def any_lake(written):
    return written[0]


def test_rows_come_back_as_they_were_written(any_lake):
    planned = dict.fromkeys(CAMPAIGNS.names) | {"campaign_id": "c", "left_out": [{"reason": "no consent", "users": 3}]}
    assert any_lake.replace_rows(SEGMENTS, [segment(), segment(segment_id=4, title="ümläut")], "r-1") == 2
    assert any_lake.replace_rows(CAMPAIGNS, [planned], "r-1") == 1
    any_lake.append_rows(RUNS, [entry(started_at=BEGUN, as_of=day("2024-03-01"), rows=5, seconds=0.5)])
    found = sorted(any_lake.rows_of_run(SEGMENTS, "r-1"), key=lambda row: row.segment_id)
    assert found == [segment(), segment(segment_id=4, title="ümläut")]
    assert any_lake.rows_of_run(CAMPAIGNS, "r-1") == [planned]
    (told,) = any_lake.rows(RUNS)
    assert told == entry(started_at=BEGUN, as_of=day("2024-03-01"), rows=5, seconds=0.5)


def test_spark_reads_the_rows_that_the_driver_wrote_and_the_other_way_round(any_lake, spark):
    any_lake.replace_rows(SEGMENTS, [segment()], "r-1")
    frame = any_lake.read_run(SEGMENTS, "r-1")
    assert frame.columns == SEGMENTS.names
    any_lake.replace_run(SEGMENTS, frame, "r-2")
    assert any_lake.rows_of_run(SEGMENTS, "r-2") == [segment()]
    assert {row.run_id for row in any_lake.rows(SEGMENTS)} == {"r-1", "r-2"}
    assert any_lake.runs_in(SEGMENTS) == {"r-1", "r-2"}


def test_a_run_is_replaced_as_a_whole_and_others_stay(any_lake):
    any_lake.replace_rows(SEGMENTS, [segment(), segment(segment_id=4)], "r-1")
    any_lake.replace_rows(SEGMENTS, [segment(segment_id=5)], "r-2")
    assert any_lake.replace_rows(SEGMENTS, [segment(segment_id=6)], "r-1") == 1
    assert {(row.run_id, row.segment_id) for row in any_lake.rows(SEGMENTS)} == {("r-1", 6), ("r-2", 5)}
    assert any_lake.replace_rows(SEGMENTS, [], "r-1") == 0
    assert any_lake.clear_run(SEGMENTS, "r-2") == 0
    assert any_lake.rows(SEGMENTS) == []


def test_a_run_is_taken_over_into_another_without_losing_its_own_rows(any_lake, spark):
    features = [{"user_id": f"u{n}", "as_of": day("2024-03-01"), "is_bot": False, "region": None} for n in range(3)]
    any_lake.replace_run(USER_FEATURES, rows_of(spark, USER_FEATURES, *features), "r-1")
    any_lake.replace_run(USER_FEATURES, rows_of(spark, USER_FEATURES, *features[:1]), "r-2")
    assert any_lake.copy_run(USER_FEATURES, "r-1", "r-2") == 3
    then, now = (any_lake.read_run(USER_FEATURES, run).orderBy("user_id").collect() for run in ("r-1", "r-2"))
    assert then == now and len(now) == 3
    assert any_lake.copy_run(USER_FEATURES, "r-9", "r-3") == 0


def test_rows_of_several_runs_are_read_with_the_run_that_they_belong_to(any_lake, spark):
    assert any_lake.is_empty(USER_FEATURES) and any_lake.read_runs(USER_FEATURES, ["r-1"]).isEmpty()
    features = [{"user_id": f"u{n}", "as_of": day("2024-03-01"), "is_bot": False} for n in range(3)]
    for run_id in ("r-1", "r-2", "007"):
        any_lake.replace_run(USER_FEATURES, rows_of(spark, USER_FEATURES, *features), run_id)
    found = any_lake.read_runs(USER_FEATURES, {"r-1", "007", "r-9"})
    assert set(found.columns) == {"run_id", *any_lake.read_run(USER_FEATURES, "r-1").columns}
    assert {(row.run_id, row.user_id) for row in found.collect()} == {
        (run_id, row["user_id"]) for run_id in ("r-1", "007") for row in features
    }
    assert any_lake.read_runs(USER_FEATURES, []).isEmpty() and not any_lake.is_empty(USER_FEATURES)
    any_lake.delete_runs(USER_FEATURES, ["r-1", "r-2", "007"])
    assert any_lake.is_empty(USER_FEATURES)


def test_a_published_run_is_refused_by_every_way_to_write(any_lake, spark):
    any_lake.replace_rows(SEGMENTS, [segment()], "r-1")
    assert any_lake.publish("r-1", "me", "run", {"segments": 1}, {"segments": 7}) == 1
    for write in (
        lambda: any_lake.replace_rows(SEGMENTS, [], "r-1"),
        lambda: any_lake.replace_run(SEGMENTS, any_lake.read_run(SEGMENTS, "r-1"), "r-1"),
        lambda: any_lake.copy_run(SEGMENTS, "r-2", "r-1"),
        lambda: any_lake.clear_run(SEGMENTS, "r-1"),
    ):
        with pytest.raises(LakeError, match="never written again"):
            write()
    assert any_lake.rows_of_run(SEGMENTS, "r-1") == [segment()]
    assert any_lake.published_run() == "r-1" and any_lake.is_published("r-1") and not any_lake.is_published("r-2")


def test_rows_are_added_only_where_the_table_has_as_many_as_were_seen(any_lake):
    assert any_lake.append_rows(RUNS, [entry()], if_count=0)
    assert not any_lake.append_rows(RUNS, [entry(stage="late")], if_count=0)
    assert any_lake.append_rows(RUNS, [entry(stage="segments")], if_count=1)
    assert sorted(row.stage for row in any_lake.rows(RUNS)) == ["features", "segments"]


def test_of_several_who_saw_the_same_ledger_one_adds_its_row(any_lake):
    any_lake.append_rows(RUNS, [entry()])
    with ThreadPoolExecutor(4) as pool:
        outcomes = list(pool.map(lambda n: any_lake.append_rows(RUNS, [entry(stage=f"s{n}")], if_count=1), range(4)))
    assert outcomes.count(True) == 1
    assert len(any_lake.rows(RUNS)) == 2


def test_what_does_not_fit_the_contract_is_refused(any_lake):
    with pytest.raises((ContractError, KeyError), match="name"):
        any_lake.replace_rows(SEGMENTS, [{key: value for key, value in segment().items() if key != "name"}], "r-1")


def test_tables_have_comments_partitions_protocol_and_statistics_of_nothing_personal(written, spark):
    lake, folder = written
    row = {"user_id": "marker-user", "day": day("2024-03-01"), "spend": 1.0}
    lake.replace_days(USER_DAYS, rows_of(spark, USER_DAYS, row), [day("2024-03-01")])
    near = {"method": "cosine", "user_id": "marker-user", "neighbours": []}
    lake.replace_run(USER_SIMILARITY, rows_of(spark, USER_SIMILARITY, near), "r-1")
    lake.replace_rows(SEGMENTS, [segment()], "r-1")
    sold = {"item_id": "i-1", "day": day("2024-03-01"), "units": 2.0}
    lake.replace_days(ITEM_DAYS, rows_of(spark, ITEM_DAYS, sold), [day("2024-03-01")])
    for contract in (USER_DAYS, USER_SIMILARITY, SEGMENTS, ITEM_DAYS):
        table = DeltaTable(str(folder / contract.name))
        assert (table.protocol().min_reader_version, table.protocol().min_writer_version) == (1, 2)
        assert table.metadata().partition_columns == list(contract.partition_by)
        assert table.metadata().description == f"One row is {contract.grain}."
        told = {field.name: field.metadata.get("comment") for field in table.schema().fields}
        assert {column.name: column.comment for column in contract.columns}.items() <= told.items()
    measured = {
        name: set(json.loads(action["stats"])["minValues"])
        for name in (USER_DAYS.name, USER_SIMILARITY.name, ITEM_DAYS.name)
        for action in _actions(folder / name)
    }
    assert measured[USER_DAYS.name] == {"user_bucket", "day"}
    assert measured[USER_SIMILARITY.name] == {"user_bucket"}
    assert {"item_id", "day", "units"} <= measured[ITEM_DAYS.name]
    assert not [path for path in folder.rglob("*.json") if "marker" in path.read_text()]


def test_days_are_replaced_and_the_rest_stays_whatever_file_it_is_in(any_lake, spark):
    def days(*texts, spend):
        return rows_of(spark, USER_DAYS, *({"user_id": "a", "day": day(t), "spend": spend} for t in texts))

    first = [day(f"2024-01-0{n}") for n in (1, 2, 5)]
    any_lake.replace_days(USER_DAYS, days("2024-01-01", "2024-01-02", "2024-01-05", spend=1.0), first, files=1)
    assert any_lake.replace_days(USER_DAYS, days("2024-01-02", spend=2.0), first[1:], files=1) == 1
    assert any_lake.append(USER_DAYS, days("2024-01-07", spend=3.0), files=1) == 1
    found = {(str(row.day), row.spend) for row in any_lake.read(USER_DAYS).collect()}
    assert found == {("2024-01-01", 1.0), ("2024-01-02", 2.0), ("2024-01-07", 3.0)}


def test_publications_keep_their_isolation(written):
    lake, folder = written
    lake.publish("r-1", "me", "run", {}, {})
    assert (
        DeltaTable(str(folder / PUBLICATIONS.name)).metadata().configuration["delta.isolationLevel"] == "Serializable"
    )


def test_a_url_that_delta_rs_cannot_reach_is_told_in_one_line_and_goes_through_spark(spark, caplog):
    lake = Lake(spark, "nowhere://bucket/lake")
    (record,) = caplog.records
    assert "is read and written through Spark alone" in record.getMessage()
    assert "\n" not in record.getMessage()
    assert lake._delta_rs is None


def _actions(folder: Path) -> list[dict]:
    lines = [line for path in sorted((folder / "_delta_log").glob("*.json")) for line in path.read_text().splitlines()]
    return [json.loads(line)["add"] for line in lines if line.startswith('{"add"')]
