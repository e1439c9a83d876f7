"""One user with two million events and one item with five million, in 4 GiB."""

import sys

import pytest
import yaml
from pyspark.sql import functions as F

from benchmarks.measure import measure
from tests.cluster.standalone import REPO
from tests.faults.conftest import acts

pytestmark = pytest.mark.slow
PROMISE = "a user and an item that hold most of the events do not stop a run"
HUB_USER, HUB_ITEM, CROWD = 2_000_000, 5_000_000, 20_000  # events, events, other users
HEAP = "1800m"
LIMIT_BYTES = 4 * 2**30
LIMIT_SECONDS = 3600.0


def write_events(spark, folder):
    """The hub user touches 5,000 items; everyone touches the hub item 250 times and 10 items of their own."""
    span = 90 * 86_400
    hub_user = spark.range(HUB_USER).select(
        F.lit("hub").alias("user"), F.format_string("i%d", F.pmod(F.xxhash64("id"), F.lit(5_000))).alias("item"), "id"
    )
    hub_item = spark.range(HUB_ITEM).select(
        F.format_string("u%d", F.col("id") % CROWD).alias("user"), F.lit("hub").alias("item"), "id"
    )
    others = spark.range(10 * CROWD).select(
        F.format_string("u%d", F.col("id") % CROWD).alias("user"),
        F.format_string("i%d", F.pmod(F.xxhash64("id"), F.lit(500))).alias("item"),
        "id",
    )
    events = hub_user.unionByName(hub_item).unionByName(others)
    seconds = F.lit(1_704_067_200) + F.pmod(F.xxhash64("user", "id"), F.lit(span))
    kinds = F.array(*map(F.lit, ("view", "click", "add_to_cart", "purchase")))
    kind = kinds[(F.col("id") % 4).cast("int")]
    events.select("user", "item", kind.alias("kind"), F.timestamp_seconds(seconds).alias("at")).write.parquet(folder)


def test_a_run_with_two_hubs_finishes_in_4_gib(spark, tmp_path, account):
    write_events(spark, str(tmp_path / "events"))
    columns = {"user_id": "user", "item_id": "item", "event_type": "kind", "event_time": "at"}
    content = {
        "lake": str(tmp_path / "lake"),
        "sources": {"events": {"path": str(tmp_path / "events"), "format": "parquet", "columns": columns}},
        "segments": {"personas": str(REPO / "conf" / "personas.yaml"), "value": {"k_range": [3, 4]}},
        "recommend": {"rank": 8, "iterations": 3},
        "campaigns": {"strategies": str(REPO / "conf" / "strategies.yaml")},
        "spark": {"driver_memory": HEAP},
    }
    (tmp_path / "skew.yaml").write_text(yaml.safe_dump(content))
    command = [sys.executable, "-m", "segspark.cli", "run", "--config", str(tmp_path / "skew.yaml")]
    cost = measure(command, tmp_path / "measured", {"PYTHONPATH": str(REPO)}, LIMIT_SECONDS)
    print(f"peak {cost.peak_bytes / 2**30:.2f} GiB, {cost.cpu_seconds:.0f} CPU s")
    is_within = cost.peak_bytes <= LIMIT_BYTES and len(acts(tmp_path / "lake")) == 1
    account.enter(PROMISE, f"{HUB_USER + HUB_ITEM:,} of {HUB_USER + HUB_ITEM + 10 * CROWD:,} events, 4 GiB", is_within)
    assert is_within, f"{cost.peak_bytes / 2**30:.2f} GiB"
