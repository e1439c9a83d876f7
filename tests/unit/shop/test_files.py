import gzip
import hashlib
import json

import pytest

from segspark.core.errors import InputError
from segspark.shop.config import ShopConfig
from segspark.shop.generate import shop_frames, write_shop

SMALL = ShopConfig(users=60, days=28, items=500, dirty_share=0.05, bot_share=0.02)


def lines_of(folder, pattern):
    for path in sorted(folder.glob(pattern)):
        text = gzip.decompress(path.read_bytes()).decode() if path.suffix == ".gz" else path.read_text()
        yield from text.splitlines()[1 if path.suffix == ".csv" else 0 :]


def digests(folder):
    named = [p for p in folder.rglob("*") if p.is_file() and "truth/users" not in str(p) and p.suffix != ".crc"]
    return {str(p.relative_to(folder)): hashlib.sha256(p.read_bytes()).hexdigest() for p in named}


@pytest.mark.slow
def test_the_files_are_the_same_byte_for_byte_however_many_tasks_make_them(spark, tmp_path):
    rows = write_shop(spark, SMALL, str(tmp_path / "one"), partitions=1)
    assert write_shop(spark, SMALL, str(tmp_path / "five"), partitions=5) == rows
    assert digests(tmp_path / "one") == digests(tmp_path / "five")


@pytest.mark.slow
def test_another_seed_gives_other_events(spark):
    def first_times(seed):
        frame = shop_frames(spark, SMALL.model_copy(update={"seed": seed}))["orders"]
        return {row.order_time for row in frame.where("order_id like 'o-%'").select("order_time").collect()}

    assert len(first_times(1) & first_times(2)) < 5


def test_a_daily_layout_has_one_file_a_day_with_that_days_events_only(spark, tmp_path):
    config = SMALL.model_copy(update={"files": "day", "users": 30, "dirty_share": 0.0})
    write_shop(spark, config, str(tmp_path / "shop"))
    paths = sorted((tmp_path / "shop" / "events").glob("*.json.gz"))
    assert len(paths) >= 20
    for path in paths:
        days = {json.loads(line)["time"][:10] for line in gzip.decompress(path.read_bytes()).decode().splitlines()}
        assert days == {path.name.removesuffix(".json.gz")}
    assert len(list((tmp_path / "shop" / "orders").glob("*.csv"))) == config.days


def test_every_line_is_a_good_row_or_a_counted_bad_one(shop):
    for source, pattern in (
        ("events", "events/*.json.gz"),
        ("orders", "orders/*.csv"),
        ("users", "users/*.csv"),
        ("items", "items/*.csv"),
    ):
        lines = list(lines_of(shop.folder, pattern))
        assert len(lines) == shop.rows[source] + sum(shop.dirty[source].values())
        assert lines.count("") == shop.dirty[source]["blank_line"]


def test_the_kinds_of_bad_events_are_counted_as_they_stand_in_the_files(shop):
    found = dict.fromkeys(shop.dirty["events"], 0)
    seen = set()
    for line in lines_of(shop.folder, "events/*.json.gz"):
        kind = kind_of_event(line, seen)
        if kind:
            found[kind] += 1
    assert found == shop.dirty["events"]
    share = sum(found.values()) / shop.rows["events"]
    assert share == pytest.approx(shop.config.dirty_share, rel=0.25)


def kind_of_event(line, seen):
    if line == "":
        return "blank_line"
    if line.startswith("<html>"):
        return "no_json"
    try:
        event = json.loads(line)
    except json.JSONDecodeError:
        return "broken_json"
    checks = {
        "missing_user": "user" not in event,
        "unknown_type": event["type"] == "teleport",
        "future_time": event["time"] > "2025",
        "ancient_time": event["time"] < "1971",
        "negative_price": event.get("price", 1) < 0,
        "repeated": event["id"] in seen,
    }
    seen.add(event["id"])
    broken = [kind for kind, is_so in checks.items() if is_so]
    assert len(broken) <= 1
    return broken[0] if broken else None


def test_a_reader_that_is_not_ours_finds_the_good_rows(shop, tables):
    for source in ("events", "orders", "users", "items", "ratings"):
        # a copied line may be read as one row: the reader drops exact copies
        assert tables.sql(f"select count(*) from {source}").fetchall()[0][0] == shop.rows[source]


def test_a_folder_with_other_things_is_left_alone(spark, tmp_path):
    (tmp_path / "notes.txt").write_text("mine")
    with pytest.raises(InputError, match="holds no shop"):
        write_shop(spark, SMALL, str(tmp_path))
    assert (tmp_path / "notes.txt").read_text() == "mine"
