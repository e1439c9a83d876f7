import bz2
import gzip
import json
import os
from datetime import date
from pathlib import Path

import duckdb
import pytest
import yaml
from pyspark.sql import functions as F

from segspark.core.contracts import EVENTS, ITEMS, ORDERS, QUALITY, QUARANTINE, RATINGS, SOURCE_FILES, USERS
from segspark.core.errors import InputError, SegsparkError
from segspark.core.stage import Run, StageContext
from segspark.ingest.checks.stage import check_quality
from segspark.ingest.config import IngestConfig, SourcesConfig
from segspark.ingest.files import SourceFile
from segspark.ingest.ledger import Account, settle
from segspark.ingest.stage import check_sources, ingest
from tests.builders import at
from tests.unit.ingest.sources import (
    EVENT_COLUMNS,
    ORDER_COLUMNS,
    events_from,
    ledger,
    orders_csv,
    orders_from,
    reasons,
    write,
)

ROOT = Path(__file__).parents[3]
MONTH = ROOT.parent / "shared/data/online_retail/2011-02.csv.gz"
GOOD = "1,tea,2024-01-02 10:00,ann,2,3.5"


def run(lake, sources):
    return ingest(lake, sources, IngestConfig())


def event(number, **changes):
    return json.dumps({"u": "ann", "t": f"2024-01-02 10:00:{number:02}", "kind": "view", "i": "tea", **changes})


@pytest.mark.slow
def test_every_format_is_read_and_every_row_is_accounted_for(lake, spark, tmp_path):
    orders = tmp_path / "orders"
    orders_csv(orders / "2024/a.csv", GOOD, "", "2,tea,2024-01-02 11:00,,x,1", "3,post,2024-01-03 11:00,bob,1,1")
    with gzip.open(orders / "b.csv.gz", "wt") as file:
        file.write("price,qty,item,at,who,no\n1.5,1,milk,2024-01-04 09:00,bob,4\n")  # another order of columns
    (orders / "c.csv.bz2").write_bytes(
        bz2.compress(b"\xef\xbb\xbfno,item,at,who,qty,price\r\n5,tea,2024-01-05,eve,-1,2\r\n")
    )
    (orders / "empty.csv").touch()
    (orders / "_SUCCESS").touch()
    write(tmp_path / "clicks/1.jsonl", event(1), event(2, kind="hover"), "[1]", event(3, u=None))
    write(tmp_path / "clicks/2.json.txt", event(4))
    spark.createDataFrame([("ann", 30, "n"), ("bob", 200, "s")], "id string, age int, area string").write.partitionBy(
        "area"
    ).parquet(str(tmp_path / "people"))
    spark.createDataFrame([("tea", [0.5, 1.5])], "sku string, v array<double>").write.format("delta").save(
        str(tmp_path / "catalogue")
    )
    spark.createDataFrame(
        [("ann", "tea", at("2024-01-09"), 4)], "u string, i string, t timestamp, stars int"
    ).write.format("delta").save(str(tmp_path / "stars"))
    sources = SourcesConfig(
        orders={"path": str(orders), "columns": ORDER_COLUMNS, "where": "item <> 'post'"},
        events={"path": [str(tmp_path / "clicks/*.jsonl"), str(tmp_path / "clicks/2*")], "format": "json"}
        | {"columns": EVENT_COLUMNS},
        users={"path": str(tmp_path / "people"), "format": "parquet"}
        | {"columns": {"user_id": "id", "age": "age", "region": "area"}},
        items={"path": str(tmp_path / "catalogue"), "format": "delta", "columns": {"item_id": "sku", "embedding": "v"}},
        ratings={"table": f"delta.`{tmp_path}/stars`"}
        | {"columns": {"user_id": "u", "item_id": "i", "rated_at": "t", "rating": "stars"}},
    )
    result = run(lake, sources)
    assert result.rows == {"events": 2, "orders": 3, "users": 1, "items": 1, "ratings": 1}
    found = ledger(lake)
    assert found["a.csv"] == (4, 1, 2, 1)
    assert found["b.csv.gz"] == found["c.csv.bz2"] == (1, 1, 0, 0)
    assert "empty.csv" not in found  # no bytes, no rows, nothing to remember
    assert found["1.jsonl"] == (4, 1, 3, 0)
    assert sum(rows for rows, *_ in found.values()) == 15
    assert {(r.source, r.line, r.reason, r.raw) for r in lake.read(QUARANTINE).collect() if r.source != "users"} == {
        ("orders", 3, "empty line", ""),
        ("orders", 4, "the expression for quantity fails on this row", "2,tea,2024-01-02 11:00,,x,1"),
        (
            "events",
            2,
            "event_type is none of impression, view, click, search, add_to_cart, remove_from_cart, wishlist, purchase",
            event(2, kind="hover"),
        ),
        ("events", 3, "not one JSON object", "[1]"),
        ("events", 4, "user_id is missing", event(3, u=None)),
    }
    lines = {(r.order_id, r.line, r.status, r.user_id, str(r.day)) for r in lake.read(ORDERS).collect()}
    assert lines == {
        ("1", 1, "paid", "ann", "2024-01-02"),
        ("4", 1, "paid", "bob", "2024-01-04"),
        ("5", 1, "cancelled", "eve", "2024-01-05"),
    }
    assert [(r.user_id, r.age, r.region) for r in lake.read(USERS).collect()] == [("ann", 30, "n")]
    assert [r.embedding for r in lake.read(ITEMS).collect()] == [[0.5, 1.5]]
    assert [(r.rating, str(r.day)) for r in lake.read(RATINGS).collect()] == [(4.0, "2024-01-09")]
    assert [
        r.ingest_seq for r in lake.read(SOURCE_FILES).orderBy("source", "path").collect() if r.source == "events"
    ] == [1, 2]


@pytest.mark.slow
def test_a_later_run_reads_new_files_only_and_names_a_changed_file(lake, tmp_path):
    first = orders_csv(tmp_path / "in/1.csv", GOOD, GOOD)
    sources = orders_from(tmp_path / "in")
    run(lake, sources)
    before = lake.read(ORDERS).collect()
    assert run(lake, sources).rows == {}
    os.utime(first, (1_700_000_000, 1_700_000_000))
    assert run(lake, sources).rows == {}
    assert lake.read(ORDERS).collect() == before

    orders_csv(tmp_path / "in/0.csv", "2,milk,2024-02-02,bob,1,1", GOOD.replace("tea", "cake"))
    assert run(lake, sources).rows == {"orders": 2}
    assert ledger(lake) == {"1.csv": (2, 2, 0, 0), "0.csv": (2, 2, 0, 0)}
    lines = {(r.order_id, r.line, r.item_id, r.ingest_seq) for r in lake.read(ORDERS).collect()}
    assert lines == {("1", 1, "tea", 1), ("1", 2, "tea", 1), ("1", 3, "cake", 2), ("2", 1, "milk", 2)}

    with pytest.raises(InputError, match=r"sources\.orders: the mapping .* changed since 2 files were read"):
        run(lake, orders_from(tmp_path / "in", where="qty > 0"))
    with pytest.raises(InputError, match=r"the mapping .* changed"):
        ingest(lake, sources, IngestConfig(max_price=10))
    orders_csv(first, GOOD)
    with pytest.raises(
        InputError, match=r"in/1\.csv was read before and has another content now \(rows then 3, now 2\)"
    ):
        run(lake, sources)


@pytest.mark.slow
def test_what_an_interrupted_ingest_left_is_removed_and_read_again(lake, spark, tmp_path):
    sources = orders_from(tmp_path / "in")
    orders_csv(tmp_path / "in/1.csv", GOOD)
    run(lake, sources)
    left = lake.read(ORDERS).drop("user_bucket").withColumns({"ingest_seq": F.lit(2), "order_id": F.lit("2")})
    lake.append(ORDERS, left.withColumn("ingest_seq", F.col("ingest_seq").cast("bigint")))
    row = ("orders", "2.csv", 3, "half done", "", at("2024-01-01"), 2)
    lake.append(QUARANTINE, spark.createDataFrame([row], lake.read(QUARANTINE).schema))
    orders_csv(tmp_path / "in/2.csv", "2,tea,2024-01-02 10:00,ann,2,3.5", "nonsense")
    run(lake, sources)
    assert sorted((r.order_id, r.ingest_seq) for r in lake.read(ORDERS).collect()) == [("1", 1), ("2", 2)]
    assert reasons(lake) == {3: "1 fields where the header has 6"}


@pytest.mark.slow
def test_a_key_that_comes_again_is_a_duplicate_in_the_file_across_files_and_in_the_log(lake, tmp_path):
    write(tmp_path / "in/1.json", event(1, id="a"), event(2, id="b"), event(3, id="a"))
    write(tmp_path / "in/2.json", event(4, id="b", kind="hover"), event(5, id="c"), event(6, id="b"))
    sources = events_from(tmp_path / "in", columns={**EVENT_COLUMNS, "event_id": "id"})
    run(lake, sources)
    write(tmp_path / "in/3.json", event(7, id="c"), event(8, id="d"))
    run(lake, sources)
    assert sorted((r.event_id, r.ingest_seq) for r in lake.read(EVENTS).collect()) == [
        ("a", 1),
        ("b", 1),
        ("c", 2),
        ("d", 3),
    ]
    found = {(r.file[-6:], r.line, r.reason.split(":")[-1]) for r in lake.read(QUARANTINE).collect()}
    assert {(file, line) for file, line, _ in found} == {("1.json", 3), ("2.json", 1), ("2.json", 3), ("3.json", 1)}
    assert ("3.json", 1, " the log has event_id already") in found


@pytest.mark.slow
def test_a_later_file_updates_users_and_a_user_twice_in_a_file_is_a_duplicate(lake, tmp_path):
    write(tmp_path / "users/1.csv", "id,age", "ann,30", "bob,40", "ann,31")
    write(tmp_path / "users/2.csv", "id,age", "bob,41")
    orders_csv(tmp_path / "orders.csv", GOOD)
    people = {"path": str(tmp_path / "users/*.csv"), "columns": {"user_id": "id", "age": "age"}}
    sources = SourcesConfig(orders=orders_from(tmp_path / "orders.csv").orders, users=people)
    run(lake, sources)
    assert sorted((r.user_id, r.age) for r in lake.read(USERS).collect()) == [("ann", 30), ("bob", 41)]
    assert reasons(lake) == {4: "duplicate: an earlier row has user_id"}
    write(tmp_path / "users/3.csv", "id,age", "ann,32")
    run(lake, sources)
    assert sorted((r.user_id, r.age) for r in lake.read(USERS).collect()) == [("ann", 32), ("bob", 41)]
    assert {name: rows for name, rows in ledger(lake).items() if name[0] in "123"} == {
        "1.csv": (3, 2, 1, 0),
        "2.csv": (1, 1, 0, 0),
        "3.csv": (1, 1, 0, 0),
    }


def test_sources_that_cannot_be_used_are_named_with_what_is_there(lake, spark, tmp_path):
    def refused(sources, pattern):
        with pytest.raises(InputError, match=pattern):
            check_sources(lake, sources)

    refused(orders_from(tmp_path / "no/*.csv"), r"sources\.orders\.path: .*does not exist")
    orders_csv(tmp_path / "a.csv", GOOD)
    write(tmp_path / "b.csv", "no,item,at,customer,qty,price", GOOD)
    write(tmp_path / "c.csv", "no,item,at,who,qty,price,WHO", GOOD + ",x")
    check_sources(lake, orders_from(tmp_path / "a.csv"))
    renamed = (
        r"sources\.orders\.columns\.user_id: no column who in .*b\.csv; it has: no, item, at, customer, qty, price"
    )
    refused(orders_from(tmp_path / "b.csv"), renamed)
    check_sources(lake, orders_from(tmp_path / "[ab].csv"))
    refused(orders_from(tmp_path / "c.csv"), r"columns\.user_id: 2 columns who in .*c\.csv; rename all but one")
    refused(orders_from(tmp_path / "a.csv", where="colour = 1"), r"sources\.orders\.where: no column colour")
    write(tmp_path / "e.json", event(1))
    refused(
        events_from(tmp_path / "e.json", where="z = 1"), r"sources\.events\.where: no column z .* it has: i, kind, t, u"
    )
    spark.range(3).write.parquet(str(tmp_path / "numbers"))
    refused(orders_from(tmp_path / "numbers", format="parquet"), r"columns\.order_id: no column no .* it has: id")
    table = SourcesConfig(orders={"table": "nobody.knows", "columns": ORDER_COLUMNS})
    refused(table, r"sources\.orders\.table: ")


def test_a_column_that_some_files_lack_is_null_there_and_told(lake, tmp_path):
    write(tmp_path / "2023.csv", "no,item,at,qty,price", "1,tea,2023-01-02,1,2")
    write(tmp_path / "2024.csv", "no,item,at,who,qty,price", "2,tea,2024-01-02,ann,1,2")
    read = run(lake, orders_from(tmp_path / "*.csv"))
    assert {row.order_id: row.user_id for row in lake.read(ORDERS).collect()} == {"1": None, "2": "ann"}
    told = f"orders: 1 of 2 new files have no column who, as file:{tmp_path}/2023.csv; it is null there"
    assert told in read.notes
    write(tmp_path / "2025.csv", "no,item,at,qty,price", "3,tea,2025-01-02,1,2")  # alone, as a day's file comes
    assert run(lake, orders_from(tmp_path / "*.csv")).rows == {"orders": 1}
    write(tmp_path / "2026.csv", "no,at,who,qty,price", "4,2026-01-02,ann,1,2")  # without an item there is no order
    with pytest.raises(InputError, match=r"columns\.item_id: no column item in .*2026\.csv; it has: no, at, who"):
        run(lake, orders_from(tmp_path / "*.csv"))


def test_a_field_that_others_stand_in_for_may_be_in_no_object_of_a_day(lake, tmp_path):
    columns = {**EVENT_COLUMNS, "user_id": "coalesce(u, cookie)"}
    write(tmp_path / "1.json", event(1, cookie="c"), event(2, u=None, cookie="c"))
    sources = events_from(tmp_path / "*.json", columns=columns)
    assert run(lake, sources).rows == {"events": 2}
    write(tmp_path / "2.json", json.dumps({"t": "2024-01-03", "kind": "view", "i": "tea", "cookie": "d"}))
    assert run(lake, sources).rows == {"events": 1}
    write(tmp_path / "3.json", json.dumps({"u": "ann", "kind": "view", "i": "tea"}))
    with pytest.raises(InputError, match=r"columns\.event_time: no column t in .*3\.json"):
        run(lake, sources)


def test_of_files_that_are_merged_the_newest_counts_whatever_their_names(lake, tmp_path):
    orders_csv(tmp_path / "orders.csv", GOOD)
    ages = {"users_8": 1, "users_9": 3, "users_10": 3, "31-01-2024": 4, "01-02-2024": 5}
    for name, moment in ages.items():
        write(tmp_path / f"people/{name}.csv", "id,area", f"ann,{name}", f"of {name},x")
        os.utime(tmp_path / f"people/{name}.csv", (moment, moment))
    users = {"path": str(tmp_path / "people"), "columns": {"user_id": "id", "region": "area"}}
    orders = {"path": str(tmp_path / "orders.csv"), "columns": ORDER_COLUMNS}
    sources = SourcesConfig(orders=orders, users=users)

    def region():
        return lake.read(USERS).where("user_id = 'ann'").first().region

    told = run(lake, sources).notes
    assert region() == "01-02-2024"
    assert "users: 5 files count by their times, the newest last: from users_8.csv to 01-02-2024.csv" in told
    seqs = {r.path.rpartition("/")[2]: r.ingest_seq for r in lake.rows(SOURCE_FILES) if r.source == "users"}
    assert sorted(seqs, key=seqs.get) == [
        "users_8.csv",
        "users_9.csv",
        "users_10.csv",
        "31-01-2024.csv",
        "01-02-2024.csv",
    ]


def test_an_input_without_a_good_row_is_told_in_one_line(lake, tmp_path):
    orders_csv(tmp_path / "none.csv", "nonsense")
    expected = r"no row of .* was accepted \(orders: another number of fields where the header has 6, 1 rows\)"
    with pytest.raises(InputError, match=expected) as error:
        run(lake, orders_from(tmp_path / "none.csv"))
    assert "\n" not in str(error.value)


@pytest.mark.parametrize(
    "change",
    [
        "DELETE FROM {} WHERE no = '2'",
        pytest.param("UPDATE {} SET item = 'milk' WHERE no = '2'", marks=pytest.mark.slow),
        pytest.param(
            "MERGE INTO {0} t USING (SELECT '2' AS no) s ON t.no = s.no WHEN MATCHED THEN DELETE",
            marks=pytest.mark.slow,
        ),
    ],
)
def test_rows_that_a_table_deletes_without_writing_its_files_anew_are_told(lake, spark, tmp_path, change):
    table = f"delta.`{tmp_path}/t`"
    spark.sql(
        f"CREATE TABLE {table} (no STRING, item STRING, at STRING) USING delta"
        " TBLPROPERTIES (delta.enableDeletionVectors = true)"
    )
    spark.sql(f"INSERT INTO {table} SELECT /*+ COALESCE(1) */ CAST(id AS STRING), 'tea', '2024-01-02' FROM range(9)")
    columns = {"order_id": "no", "item_id": "item", "order_time": "at"}
    sources = SourcesConfig(orders={"path": str(tmp_path / "t"), "format": "delta", "columns": columns})
    assert run(lake, sources).rows == {"orders": 9}
    spark.sql(f"INSERT INTO {table} VALUES ('9', 'tea', '2024-01-03')")
    assert run(lake, sources).rows == {"orders": 1}
    spark.sql(change.format(table))
    with pytest.raises(
        InputError, match=r"sources\.orders: rows of the table were deleted or changed .* showed 9 rows"
    ) as told:
        run(lake, sources)
    assert "shows 8 now" in str(told.value) and "\n" not in str(told.value)


@pytest.mark.slow
def test_a_table_that_was_rewritten_is_told_and_an_appended_one_gives_its_new_rows(lake, spark, tmp_path):
    def add(*numbers):
        rows = spark.createDataFrame(
            [(str(n), "tea", "2024-01-02") for n in numbers], "no string, item string, at string"
        )
        rows.coalesce(1).write.format("delta").mode("append").save(str(tmp_path / "t"))

    columns = {"order_id": "no", "item_id": "item", "order_time": "at"}
    sources = SourcesConfig(orders={"path": str(tmp_path / "t"), "format": "delta", "columns": columns})
    add(1, 2)
    assert run(lake, sources).rows == {"orders": 2}
    add(3)
    assert run(lake, sources).rows == {"orders": 1}
    assert sorted(r.order_id for r in lake.read(ORDERS).collect()) == ["1", "2", "3"]
    spark.sql(f"DELETE FROM delta.`{tmp_path}/t` WHERE no = '1'")
    with pytest.raises(InputError, match="the table was rewritten since it was read"):
        run(lake, sources)


def test_rows_that_do_not_add_up_are_an_error_with_the_numbers():
    file = SourceFile("a.csv", "a.csv", 1, 1)
    settle("orders", [Account(file, "", 10, 7, 2, 1, 0, 1)])
    with pytest.raises(SegsparkError, match=r"a\.csv has 10 rows, but 7 accepted \+ 2 quarantined \+ 0 filtered are 9"):
        settle("orders", [Account(file, "", 10, 7, 2, 0, 0, 1)])


@pytest.mark.slow
@pytest.mark.skipif(not MONTH.exists(), reason="the shared online retail data is not beside the repository")
def test_a_real_month_agrees_with_duckdb_and_its_quality_is_written(lake):
    config = yaml.safe_load((ROOT / "conf/datasets/online_retail.yaml").read_text())
    sources = SourcesConfig(orders={**config["sources"]["orders"], "path": str(MONTH)})
    run(lake, sources)
    rows, kept, paid, users, money, repeated, newest = duckdb.sql(f"""
        WITH raw AS (SELECT *, row_number() OVER (PARTITION BY raw) AS nth FROM (
            SELECT *, concat_ws('|', InvoiceNo, StockCode, Description, Quantity, InvoiceDate, UnitPrice, CustomerID)
            AS raw
            FROM read_csv('{MONTH}', all_varchar = true))),
        kept AS (SELECT * FROM raw WHERE StockCode[1] BETWEEN '0' AND '9' AND UnitPrice::DOUBLE > 0)
        SELECT (SELECT count(*) FROM raw), count(*), count(*) FILTER (InvoiceNo[1] <> 'C' AND Quantity::INT > 0),
            count(DISTINCT CustomerID), sum(UnitPrice::DECIMAL(12, 3) * abs(Quantity::INT)),
            count(*) FILTER (nth > 1), max(InvoiceDate) FROM kept""").fetchall()[0]
    assert ledger(lake) == {"2011-02.csv.gz": (rows, kept, 0, rows - kept)}
    found = lake.read(ORDERS).agg(
        F.count_if(F.col("status") == "paid"),
        F.count_distinct("user_id"),
        F.sum(F.col("unit_price").cast("decimal(12,3)") * F.col("quantity").cast("int")),
        F.count_distinct("order_id", "line"),
        F.date_format(F.max("order_time"), "yyyy-MM-dd HH:mm:ss"),  # in winter UTC is the time of the clock in London
    )
    assert tuple(found.first()) == (paid, users, money, kept, newest)

    context = StageContext(lake, Run("r-1", date(2011, 3, 1), ingest_seq=1, seed=1))
    result = check_quality(context, sources, IngestConfig(max_repeated_share=0.001))
    checks = {(r.source, r.check): (r.value, r.passed) for r in lake.read(QUALITY).collect()}
    assert checks["orders", "rows_in"] == (rows, True)
    assert checks["orders", "rows unaccounted for"] == (0, True)
    assert checks["orders", "repeated"] == (repeated, True)
    assert checks["orders", "share of exact repeats"] == (repeated / kept, False)
    assert checks["orders", "days from the newest row to as_of"] == (1, True)
    assert [note.split(" is ")[0] for note in result.notes] == ["quality: orders: share of exact repeats"]
