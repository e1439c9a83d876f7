"""Small inputs that others had and that went wrong; what is right was found by hand (`tests/cases/*/expected.md`)."""

import shutil
import zipfile
from pathlib import Path

import pytest
import yaml
from pyspark.sql import functions as F

from segspark.core.contracts import EVENTS, ITEMS, ORDERS, RATINGS, SOURCE_FILES, USERS
from segspark.core.errors import InputError
from segspark.ingest.config import IngestConfig, SourcesConfig
from segspark.ingest.stage import ingest

CASES = Path(__file__).parents[2] / "cases"


def read(lake, case, name="c.yaml"):
    """What ingest tells of the case's own mapping."""
    text = (CASES / case / name).read_text(encoding="utf-8-sig").replace("../shared/cases", str(CASES))
    return ingest(lake, SourcesConfig(**yaml.safe_load(text)["sources"]), IngestConfig())


def test_fields_that_two_colons_set_apart(lake):
    assert read(lake, "c01_double_colon").rows == {"ratings": 400}
    rows = lake.read(RATINGS)
    users = {
        row.user_id: set(row.ratings)
        for row in rows.groupBy("user_id").agg(F.collect_set("rating").alias("ratings")).collect()
    }
    assert len(users) == 40
    assert users["7"] == {3.0} and 0.0 in users["8"]
    assert str(rows.agg(F.min("day")).first()[0]) == "2023-11-15"


def test_times_of_parquet_in_each_way_that_they_are_stored(lake):
    assert read(lake, "c02_parquet_times").rows == {"orders": 30}
    clock = F.sort_array(F.collect_list(F.date_format("order_time", "HH:mm:ss.SSSSSS")))
    files = lake.read(ORDERS).groupBy("ingest_seq").agg(clock.alias("clock")).collect()
    assert len(files) == 3 and len({tuple(row.clock) for row in files}) == 1


def test_times_that_belong_to_a_zone_are_those_of_utc(lake):
    assert read(lake, "c02_parquet_times", "c2.yaml").rows == {"orders": 30}
    hours = lake.read(ORDERS).groupBy("day").agg(F.collect_set(F.hour("order_time")).alias("hours")).collect()
    assert {str(row.day): row.hours for row in hours} == {"2024-05-02": [10], "2024-05-03": [10], "2024-05-04": [8]}


def test_a_file_whose_name_has_a_colon_is_told(lake, tmp_path):
    shutil.copy(CASES / "c03b_colon/in/plain.csv", tmp_path)
    shutil.copy(CASES / "c03b_colon/in/orders_2024-05-01T10.csv", tmp_path / "orders_2024-05-01T10:00:00.csv")
    orders = yaml.safe_load((CASES / "c03b_colon/c.yaml").read_text())["sources"]["orders"]
    read = ingest(lake, SourcesConfig(orders={**orders, "path": str(tmp_path)}), IngestConfig())
    assert read.rows == {"orders": 5}
    problems = {row.path.rpartition("/")[2]: row.problem for row in lake.rows(SOURCE_FILES)}
    assert problems["plain.csv"] is None
    assert problems["orders_2024-05-01T10:00:00.csv"].startswith("the file's name has a colon")


def test_what_a_german_excel_writes(lake):
    assert read(lake, "c04_excel_de").rows == {"orders": 5, "users": 3, "items": 2}
    rows = {row.order_id: row for row in lake.read(ORDERS).collect()}
    assert [str(rows[f"000{number}"].order_time) for number in (1, 2, 4, 5)] == [
        "2024-02-05 08:15:00",
        "2024-03-31 01:30:00",
        "2024-02-29 22:30:00",
        "2024-12-30 23:30:00",
    ]
    assert [(row.unit_price, row.quantity) for row in (rows["0001"], rows["0005"])] == [(1234.5, 2.0), (1e6, 1.0)]
    assert {row.region for row in lake.read(USERS).collect()} == {"Köln \u2013 Süd", "München", "Straße €"}
    assert {row.description for row in lake.read(ITEMS).collect()} == {'Käse "fein"', "Brot;\nweiß"}


def test_keys_that_an_exporter_leaves_out_where_they_are_null(lake):
    assert read(lake, "c12_sparse").rows == {"events": 34}
    searches = lake.read(EVENTS).where("event_type = 'search'").select("item_id", "price").collect()
    assert [tuple(row) for row in searches] == [(None, None)] * 4


@pytest.mark.parametrize(("name", "filtered"), [("c.yaml", 3), ("c2.yaml", 4), ("c3.yaml", 3)])
def test_events_whose_items_are_a_list(lake, name, filtered):
    assert read(lake, "c10_ga4", name).rows == {"events": 4}
    assert sum(row.filtered for row in lake.rows(SOURCE_FILES)) == filtered
    rows = lake.read(EVENTS).orderBy("event_time").select("user_id", "event_type", "item_id", "price").collect()
    assert tuple(rows[0]) == ("p1", "view", "i1", 5.0) and {row.user_id for row in rows} == {"p1", "U1", "p2"}


def test_a_column_that_came_with_a_later_year(lake):
    assert read(lake, "c12_sparse", "c2.yaml").rows == {"orders": 40}
    first = lake.read(ORDERS).where("year(day) = 2023").select("discount").distinct().collect()
    assert [row.discount for row in first] == [0.0]


@pytest.mark.parametrize(
    ("name", "reason"),
    [
        ("c2.yaml", "the file is a gzip file, although its name does not end in .gz; rename it"),
        ("c3.yaml", "the first line is `sep=,`, a note for Excel, and no header; take that line away"),
    ],
)
def test_what_is_no_text_is_told_by_what_it_is(lake, name, reason):
    with pytest.raises(InputError, match="no row of events, orders or ratings was accepted"):
        read(lake, "c16_zip", name)
    (entry,) = lake.rows(SOURCE_FILES)
    assert entry.problem.startswith(reason)


def test_an_archive_of_one_file_is_read_and_one_of_several_is_told(lake, tmp_path):
    assert read(lake, "c16_zip").rows["orders"] > 0
    (entry,) = lake.rows(SOURCE_FILES)
    assert entry.path.endswith("/orders.zip") and entry.problem is None
    assert entry.rows_in == entry.accepted == lake.read(ORDERS).count()
    assert read(lake, "c16_zip").rows == {}  # known
    columns = yaml.safe_load((CASES / "c16_zip" / "c.yaml").read_text())["sources"]["orders"]["columns"]
    with zipfile.ZipFile(tmp_path / "two.zip", "w") as archive:
        archive.writestr("a.csv", "order,cust,sku,at,qty,price\n1,ann,tea,2024-01-02,1,2\n")
        archive.writestr("b.csv", "order,cust,sku,at,qty,price\n2,ann,tea,2024-01-02,1,2\n")
    with zipfile.ZipFile(tmp_path / "bomb.zip", "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("a.csv", "order,cust,sku,at,qty,price\n" + "0" * 5_000_000)
    (tmp_path / "cut.zip").write_bytes((CASES / "c16_zip" / "orders.zip").read_bytes()[:200])
    ingest(lake, SourcesConfig(orders={"path": f"{tmp_path}/*.zip", "columns": columns}), IngestConfig())
    problems = {entry.path.rpartition("/")[2]: entry.problem for entry in lake.rows(SOURCE_FILES)}
    assert problems["two.zip"].startswith("the zip archive has 2 files and not one")
    assert problems["bomb.zip"].startswith("the zip archive unpacks to more than 200 times its size")
    assert problems["cut.zip"].startswith("the zip archive cannot be unpacked")
