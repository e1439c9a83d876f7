"""A lake whose dated tables an earlier version laid out with a partition for each day."""

import json
from datetime import timedelta
from pathlib import Path

import pyarrow as pa
import pytest
from deltalake import DeltaTable
from pyspark.sql import functions as F

from segspark.core.contracts import EVENTS, ORDERS, SESSIONS, USER_DAYS, USER_FEATURES
from segspark.core.extent import Extent
from segspark.core.lake import Lake, stored
from tests.builders import at, day, rows_of

FIRST = day("2024-01-30")


def events(spark, *days, seq=1):
    rows = [
        {"event_id": f"{seq}-{one}", "user_id": f"u{one}", "event_time": at(f"{FIRST + timedelta(days=one)} 10:00")}
        for one in days
    ]
    return rows_of(spark, EVENTS, *({**row, "day": row["event_time"].date(), "ingest_seq": seq} for row in rows))


def as_before(lake, contract, frame):
    """The table as the version before wrote it: partitioned by day, statistics on less than today."""
    writer = stored(frame, contract).write.format("delta").partitionBy("day")
    writer.option("delta.dataSkippingStatsColumns", "user_bucket").save(lake.path(contract.name))


def table_of(lake, contract):
    return DeltaTable(lake.path(contract.name))


def rows(lake, contract):
    return sorted(tuple(row) for row in lake.read(contract).select(*contract.names).collect())


def test_an_old_table_is_laid_out_anew_in_one_transaction_without_losing_a_row(lake, spark):
    as_before(lake, EVENTS, events(spark, *range(9)))
    before, version = rows(lake, EVENTS), table_of(lake, EVENTS).version()
    assert len(before) == 9 and table_of(lake, EVENTS).metadata().partition_columns == ["day"]
    assert lake.lay_out(EVENTS)
    assert not lake.lay_out(EVENTS), "what is laid out so stays as it is"
    assert rows(lake, EVENTS) == before
    now = table_of(lake, EVENTS)
    assert now.version() == version + 1 and now.metadata().partition_columns == []
    assert now.protocol().min_reader_version == 1
    (file,) = pa.table(now.get_add_actions(flatten=True)).to_pylist()
    assert (file["min.day"], file["max.day"], file["min.ingest_seq"]) == (FIRST, FIRST + timedelta(days=8), 1)
    past = spark.read.format("delta").option("versionAsOf", version).load(lake.path("events"))
    assert past.count() == 9, "until it was committed, and in the version before, all rows were there"


def test_what_a_table_says_of_itself_is_as_of_a_new_one(lake, spark, tmp_path):
    as_before(lake, EVENTS, events(spark, 1))
    lake.lay_out(EVENTS)
    new = Lake(spark, str(tmp_path / "new"))
    new.create(EVENTS)
    mine, other = table_of(lake, EVENTS), table_of(new, EVENTS)
    assert mine.metadata().description == other.metadata().description
    assert mine.metadata().configuration == other.metadata().configuration
    for field in json.loads(mine.schema().to_json())["fields"]:
        assert field["metadata"].get("comment"), field["name"]


@pytest.mark.slow
def test_whatever_is_written_to_an_old_table_lays_it_out_anew_before(lake, spark):
    as_before(lake, EVENTS, events(spark, 0, 1))
    assert lake.append(EVENTS, events(spark, 1, 2, seq=2)) == 2
    assert [(row[0], row[-1]) for row in rows(lake, EVENTS)] == [("1-0", 1), ("1-1", 1), ("2-1", 2), ("2-2", 2)]
    days = [FIRST + timedelta(days=one) for one in range(3)]
    spent = [rows_of(spark, USER_DAYS, *({"user_id": "a", "day": d, "spend": s} for d in days)) for s in (1.0, 2.0)]
    as_before(lake, USER_DAYS, spent[0])
    assert lake.replace_days(USER_DAYS, spent[1].where(F.col("day") == days[1]), [days[1]]) == 1
    assert sorted((row.day, row.spend) for row in lake.read(USER_DAYS).collect()) == [
        (days[0], 1.0), (days[1], 2.0), (days[2], 1.0)
    ]  # fmt: skip
    assert table_of(lake, USER_DAYS).metadata().partition_columns == []


def test_run_tables_and_tables_that_are_not_there_are_left_alone(lake, spark):
    assert not lake.lay_out(ORDERS) and not lake.exists(ORDERS)
    lake.create(USER_FEATURES)
    assert not lake.lay_out(USER_FEATURES)
    assert not lake.lay_out(SESSIONS)


def test_how_far_a_table_reaches_is_known_of_either_layout_and_without_statistics(lake, spark):
    assert lake.extent(EVENTS) == Extent()
    as_before(lake, EVENTS, events(spark, 3, 5, 5))
    reach = Extent(3, FIRST + timedelta(days=3), FIRST + timedelta(days=5))
    assert lake.extent(EVENTS) == reach
    lake.lay_out(EVENTS)
    assert lake.extent(EVENTS) == reach
    (entry,) = sorted(Path(lake.path("events"), "_delta_log").glob("*1.json"))
    told = [json.loads(line) for line in entry.read_text().splitlines()]
    for action in told:
        action.get("add", {}).pop("stats", None)
    entry.write_text("\n".join(map(json.dumps, told)))
    assert Lake(spark, lake.root).extent(EVENTS) == reach
    assert reach.begins_before(FIRST + timedelta(days=4)) and not reach.begins_before(FIRST + timedelta(days=3))
    assert reach.reaches(FIRST + timedelta(days=5)) and not reach.reaches(FIRST + timedelta(days=6))
    assert reach.rows_a_day() == 1.0
