"""How the tables lie for readers: which of Delta's features are on, and what `optimize` changes."""

import json
from pathlib import Path

import pytest
from deltalake import DeltaTable

from segspark.bi.query.stage import Offer, register_views
from segspark.core.contracts import RUN_TABLES, TABLES, USER_FACTS
from segspark.core.retention import HousekeepingConfig
from segspark.pipeline import optimize_lake
from tests.unit.bi.marts.readers import VIEWS
from tests.unit.bi.marts.test_marts_views import rows_in_spark

pytestmark = pytest.mark.slow

UNREADABLE = ("deletionVectors", "columnMapping", "v2Checkpoint", "typeWidening", "variantType")
SWITCHES = ("enableDeletionVectors", "columnMapping.mode", "checkpointPolicy", "enableTypeWidening")


def test_no_table_switches_on_what_readers_without_spark_cannot_read(trading):
    written = [contract for contract in TABLES.values() if trading.exists(contract)]
    assert len(written) > 20
    for contract in written:
        table = DeltaTable(trading.path(contract.name))
        assert table.protocol().min_reader_version == 1, contract.name
        assert not table.protocol().reader_features, contract.name
        settings = table.metadata().configuration
        assert not [key for key in settings for switch in SWITCHES if switch in key], contract.name
        for entry in Path(trading.path(contract.name), "_delta_log").glob("*.json"):
            for line in entry.read_text(encoding="utf-8").splitlines():
                protocol = json.loads(line).get("protocol", {})
                features = {*protocol.get("readerFeatures", ()), *protocol.get("writerFeatures", ())}
                assert not features & set(UNREADABLE), contract.name


def test_optimize_changes_no_answer_and_a_reader_of_an_older_version_goes_on(trading):
    register_views(trading, Offer(VIEWS))
    path = trading.path(USER_FACTS.name)
    version = DeltaTable(path).version()
    pinned = DeltaTable(path, version=version).to_pyarrow_dataset()
    asked = [f"SELECT * FROM {name}" for name in ("segment_overview", "dim_user", "rfm_grid")]
    before = [sorted(rows_in_spark(trading.spark, sql)[1], key=repr) for sql in asked]
    rows_before = {c.name: trading.read(c).count() for c in RUN_TABLES if trading.exists(c)}
    told: list[str] = []
    assert optimize_lake(trading, HousekeepingConfig(), told.append) > 0
    assert "optimize: user_facts" in told
    assert [sorted(rows_in_spark(trading.spark, sql)[1], key=repr) for sql in asked] == before
    assert {c.name: trading.read(c).count() for c in RUN_TABLES if trading.exists(c)} == rows_before
    now = DeltaTable(path)
    assert now.version() > version
    assert sorted(pinned.to_table()["user_key"].to_pylist()) == sorted(now.to_pyarrow_table()["user_key"].to_pylist())
