"""spark-submit to a real cluster gives the same tables as local mode."""

import shutil
import subprocess
import sys
from pathlib import Path

import pyarrow as pa
import pytest
import yaml
from pyspark.sql import functions as F

from segspark.core.contracts import (
    FEATURE_DRIFT,
    ITEM_SIMILARITY,
    PUBLICATIONS,
    RUN_TABLES,
    RUNS,
    SEGMENT_CHANGES,
    USER_FEATURES,
)
from segspark.core.lake import Lake
from segspark.pipeline import STAGE_NAMES
from segspark.shop.config import ShopConfig
from segspark.shop.generate import write_shop

pytestmark = [pytest.mark.cluster, pytest.mark.slow]
REPO = Path(__file__).parents[2]


@pytest.fixture(scope="module")
def configuration(spark, tmp_path_factory):
    """Writes a configuration for a lake of that name over one small shop; returns its path and the lake's."""
    folder = tmp_path_factory.mktemp("submit")
    write_shop(spark, ShopConfig(users=250, days=30, seed=3), str(folder / "shop"))
    demo = yaml.safe_load((REPO / "conf" / "demo.yaml").read_text())
    sources = yaml.safe_load(yaml.safe_dump(demo["sources"]).replace("demo/shop", str(folder / "shop")))
    small = {"value": {"k_range": [5, 7]}, "taste": {"k_range": [2, 3]}}

    def configuration(name):
        lake = folder / name
        content = {**demo, "lake": str(lake), "sources": sources, "segments": {**demo.get("segments", {}), **small}}
        content["recommend"] = {"rank": 8, "iterations": 4, "evaluation": {"test_days": 10}}
        path = folder / f"{name}.yaml"
        path.write_text(yaml.safe_dump(content))
        return str(path), str(lake)

    return configuration


@pytest.fixture(scope="module")
def local_lake(spark, configuration):
    """The lake that local mode made, in a process of its own."""
    path, lake = configuration("local")
    command = [sys.executable, "-m", "segspark.cli", "run", "--config", path]
    done = subprocess.run(command, cwd=REPO, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout[-2000:] + done.stderr[-3000:]
    return Lake(spark, lake)


def published(lake):
    """Rows and digest of every table of the published run, as the publication says."""
    act = lake.read(PUBLICATIONS).orderBy(F.desc("seq")).first()
    return {table: (act.rows[table], act.digests[table]) for table in act.rows}


def assert_same_tables(lake, other):
    """Every run table has rows, but for what compares with a run before; and the same ones to the last digit."""
    found = published(lake)
    assert set(found) == {contract.name for contract in RUN_TABLES}
    assert {table for table, (rows, _) in found.items() if rows == 0} == {SEGMENT_CHANGES.name, FEATURE_DRIFT.name}
    assert found == published(other)


def content(lake, contract):
    """How many rows the one run in the table has, and their digest."""
    rows = lake.read(contract).drop("run_id")
    return tuple(rows.agg(F.count(F.lit(1)), F.bit_xor(F.xxhash64(*rows.columns))).first())


def event_log(path):
    """The text of an event log, packed or not."""
    packed = pa.input_stream(str(path), compression="zstd").read() if path.suffix == ".zstd" else path.read_bytes()
    return packed.decode()


def test_one_submitted_job_gives_the_tables_of_local_mode(cluster, package, configuration, spark, local_lake):
    path, folder = configuration("cluster")
    done = cluster.submit("run", "--config", path)
    assert done.returncode == 0, done.stdout[-2000:] + done.stderr[-3000:]
    assert_same_tables(Lake(spark, folder), local_lake)


def test_a_job_for_each_stage_gives_the_tables_of_local_mode(cluster, package, configuration, spark, local_lake):
    path, folder = configuration("stages")
    for stage in STAGE_NAMES:
        done = cluster.submit(stage, "--config", path)
        assert done.returncode == 0, (stage, done.stdout[-2000:] + done.stderr[-3000:])
    lake = Lake(spark, folder)
    assert_same_tables(lake, local_lake)
    assert lake.read(RUNS).where(F.col("status") == "done").select("run_id").distinct().count() == 1


def test_a_job_brings_its_own_environment_and_takes_executors_as_it_needs_them(
    cluster, package, configuration, spark, local_lake, tmp_path
):
    path, folder = configuration("own environment")
    settings = {
        "spark.archives": f"{REPO / 'dist' / 'environment.tar.gz'}#environment",
        "spark.pyspark.python": "./environment/bin/python",
        "spark.pyspark.driver.python": sys.executable,
        "spark.executorEnv.PYSPARK_PYTHON": "./environment/bin/python",
        "spark.dynamicAllocation.enabled": "true",
        "spark.dynamicAllocation.shuffleTracking.enabled": "true",
        "spark.dynamicAllocation.minExecutors": "0",
        "spark.dynamicAllocation.maxExecutors": "2",
        "spark.eventLog.enabled": "true",
        "spark.eventLog.dir": tmp_path.as_uri(),
    }
    for stage in ("ingest", "features", "factors", "similarity"):
        done = cluster.submit(stage, "--config", path, settings=settings)
        assert done.returncode == 0, (stage, done.stdout[-2000:] + done.stderr[-3000:])
    lake, other = Lake(spark, folder), Lake(spark, local_lake.root)
    for contract in (USER_FEATURES, ITEM_SIMILARITY):
        assert content(lake, contract) == content(other, contract)
    logged = "".join(event_log(path) for path in tmp_path.rglob("events_*"))
    assert '"Event":"SparkListenerExecutorAdded"' in logged and '"Event":"SparkListenerExecutorRemoved"' in logged
    assert any(cluster.folder.rglob("work/*/*/environment/bin/python"))


def test_a_wrong_configuration_ends_a_submitted_job_with_code_2(cluster, package, configuration, tmp_path):
    path, _ = configuration("wrong")
    wrong = tmp_path / "wrong.yaml"
    shutil.copy(path, wrong)
    wrong.write_text(wrong.read_text() + "\nno_such_key: 1\n")
    done = cluster.submit("run", "--config", str(wrong))
    assert done.returncode == 2
    assert "no_such_key: unknown key" in done.stdout  # where spark-submit sends both streams of a Python job
