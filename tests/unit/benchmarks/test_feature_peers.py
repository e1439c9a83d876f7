import shutil
from datetime import timedelta

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq
import pytest

from benchmarks.contestant import Task
from benchmarks.features import duckdb_peer
from benchmarks.features.columns import BOUNDS
from benchmarks.features.comparison import compare, read_features
from benchmarks.shop_days import FIRST_DAY, ShopSize, write_shop
from segspark.features.config import FeaturesConfig

DAYS = 10
TIMES = {"events": "event_time", "orders": "order_time", "ratings": "rated_at"}


@pytest.fixture(scope="module")
def shop(tmp_path_factory):
    """A small shop's files, and the same laid out as the log tables of a lake."""
    folder = tmp_path_factory.mktemp("shop")
    write_shop(ShopSize(4_000, DAYS), folder / "files")
    for source in ("events", "orders", "ratings", "users", "items"):
        (folder / "lake" / source).mkdir(parents=True)
        for file in (folder / "files" / source).iterdir():
            rows = pq.read_table(file)
            if source in TIMES:
                rows = rows.append_column("day", pc.cast(rows[TIMES[source]], pa.date32()))
            pq.write_table(rows, folder / "lake" / source / file.name)
    return folder


def features(peer, shop, name):
    inputs = {"lake": str(shop / "lake"), "as_of": str(FIRST_DAY + timedelta(days=DAYS))}
    peer.run(Task("", inputs, str(shop / name)), lambda: None)
    return read_features(shop / name)


def test_every_row_lies_in_the_file_of_its_own_day(shop):
    for source, time in TIMES.items():
        for file in (shop / "files" / source).iterdir():
            days = pc.unique(pc.strftime(pq.read_table(file)[time], "%Y-%m-%d"))
            assert days.to_pylist() in ([file.stem], [])


def test_the_same_seed_makes_the_same_shop(shop, tmp_path):
    write_shop(ShopSize(4_000, DAYS), tmp_path)
    for file in tmp_path.rglob("*.parquet"):
        assert pq.read_table(file).equals(pq.read_table(shop / "files" / file.relative_to(tmp_path)))


def test_duckdb_and_polars_compute_the_same_features(shop):
    polars_peer = pytest.importorskip("benchmarks.features.polars_peer", reason="polars is in the extra `bench`")
    one, other = features(duckdb_peer, shop, "one"), features(polars_peer, shop, "other")
    check = compare("both", one, other, BOUNDS)
    assert check.passed, check.found


def test_a_peer_counts_what_pandas_counts(shop):
    found = features(duckdb_peer, shop, "counted")
    events: pa.Table = pq.read_table(shop / "files" / "events")
    rows = events.select(["user_id", "event_time", "event_type"]).to_pandas().sort_values(["user_id", "event_time"])
    gap = rows.groupby("user_id")["event_time"].diff()
    rows["starts"] = gap.isna() | (gap > pd.Timedelta(minutes=30))
    by_user = rows.groupby("user_id")
    assert (found.loc[by_user.size().index, "events"] == by_user.size()).all()
    assert (found.loc[by_user.size().index, "sessions"] == by_user["starts"].sum()).all()


def test_a_bot_of_ours_is_a_bot_of_the_peers(shop, tmp_path):
    bound = FeaturesConfig().bot_events_per_day
    shutil.copytree(shop / "lake", tmp_path / "lake")
    log = tmp_path / "lake" / "events"
    one_event = pq.read_table(log / f"{FIRST_DAY}.parquet").slice(0, 1)
    for user, events in (("busy", bound + 1), ("calm", bound)):
        rows = pa.concat_tables([one_event] * events)
        named = rows.set_column(rows.column_names.index("user_id"), "user_id", pa.array([user] * events))
        pq.write_table(named, log / f"{user}.parquet")
    for peer in (duckdb_peer, pytest.importorskip("benchmarks.features.polars_peer")):
        found = features(peer, tmp_path, peer.__name__)
        assert found.loc[["busy", "calm"], "is_bot"].tolist() == [True, False]


def test_a_wrong_number_is_told(shop):
    right = features(duckdb_peer, shop, "right")
    wrong = right.copy()
    wrong.loc[wrong.index[3], "monetary"] = np.nan
    assert compare("both", wrong, right, BOUNDS).found == "monetary for 1 users"
