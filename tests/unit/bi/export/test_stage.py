import csv
from datetime import date

import duckdb
import pyarrow.parquet as pq
import pytest
from deltalake import DeltaTable
from pyspark.sql import functions as F

from segspark.bi.export.cells import neutralised
from segspark.bi.export.stage import MEMBER, Contacts, engine_for, export_campaign, export_segment, write_export
from segspark.core.contracts import CAMPAIGN_PLAN, CAMPAIGNS, USER_SEGMENTS, USERS, frame_of
from segspark.core.duckdb_sql import Selection
from segspark.core.errors import InputError
from segspark.core.folder_lake import FolderLake
from tests.unit.bi.conftest import FAKE

FORMULAS = ["=1+1", "+1", "-1", "@SUM(A1)", "\tx", "\rx", "\nx", "  =cmd|' /C calc'!A0", "\uff1d1+1", "\x00=1"]
FORMULAS += [f"{trimmed}=1" for trimmed in ("\x01", "\x1f", "\x7f", "\xa0", "\u200b", "\ufeff")]
INSIDE = {"x;=1+1": "x;'=1+1", "a\t-b": "a\t'-b", "a; =1;+2": "a; '=1;'+2", "\t=1": "'\t'=1", "=1;=2": "'=1;'=2"}
HARMLESS = ["a=b", "1-2", "", "'quoted", "u 12", "\u202ex", 'say "hi", twice', "ä\nsecond line", "x@y.example"]


@pytest.mark.parametrize("text", FORMULAS)
def test_a_text_that_begins_a_formula_gets_an_apostrophe(spark, text):
    assert neutralised(spark.createDataFrame([(text,)], "name string")).first()[0] == "'" + text


def test_other_texts_and_numbers_stay_as_they_are(spark):
    rows = [(text, -1.5, -2) for text in HARMLESS] + [(None, None, None)]
    frame = spark.createDataFrame(rows, "`a name` string, share double, units int")
    assert [tuple(row) for row in neutralised(frame).collect()] == rows


@pytest.fixture(params=["spark", "duckdb"])
def selected(request, spark, tmp_path):
    """Makes a frame what the engine writes: a frame, or a query in DuckDB over the same rows."""

    def select(frame):
        if request.param == "spark":
            return frame
        place = str(tmp_path / "rows")
        frame.coalesce(1).write.parquet(place)
        return Selection(duckdb.connect(), f"SELECT * FROM read_parquet('{place}/*.parquet') ORDER BY 1")

    return select


@pytest.mark.parametrize(("text", "written"), INSIDE.items())
def test_a_text_gets_one_where_it_would_fall_apart_into_a_formula(spark, selected, tmp_path, text, written):
    path = tmp_path / "out.csv"
    write_export(selected(spark.createDataFrame([(text,)], "name string")), "csv", str(path))
    with path.open(encoding="utf-8", newline="") as file:
        assert list(csv.reader(file))[1:] == [[written]]


def test_an_exported_csv_is_one_file_that_a_csv_reader_gives_back_whole(spark, selected, tmp_path):
    texts = [*HARMLESS, *FORMULAS]
    rows = spark.createDataFrame(list(enumerate(texts)), 'place int, `na"me` string').repartition(3).orderBy("place")
    path = tmp_path / "to" / "out.csv"
    assert write_export(selected(rows), "csv", str(path)) == len(texts)
    assert sorted(path.parent.iterdir()) == [path]
    with path.open(encoding="utf-8", newline="") as file:
        read = list(csv.reader(file))
    assert read[0] == ["place", 'na"me']
    assert [(int(place), text) for place, text in read[1:]] == [
        (place, text if text in HARMLESS else "'" + text) for place, text in enumerate(texts)
    ]


def test_a_csv_has_nothing_for_nulls_and_numbers_that_read_back_exactly(spark, selected, tmp_path):
    rows = [(1, None, None, None), (2, 0.1 + 0.2, date(2024, 3, 1), True), (3, -1.5e-9, date(1999, 12, 31), False)]
    frame = spark.createDataFrame(rows, "place int, share double, day date, held boolean").orderBy("place")
    path = tmp_path / "out.csv"
    assert write_export(selected(frame), "csv", str(path)) == 3
    with path.open(encoding="utf-8", newline="") as file:
        read = list(csv.reader(file))[1:]
    assert read[0] == ["1", "", "", ""]
    assert [(float(row[1]), *row[2:]) for row in read[1:]] == [
        (0.1 + 0.2, "2024-03-01", "true"),
        (-1.5e-9, "1999-12-31", "false"),
    ]


@pytest.mark.slow
@pytest.mark.parametrize(
    ("form", "engine"),
    [("csv", "spark"), ("parquet", "spark"), ("delta", "spark"), ("csv", "duckdb"), ("parquet", "duckdb")],
)
def test_a_segment_is_exported_with_all_its_users(shop, tmp_path, form, engine):
    place = str(tmp_path / "economy")
    reader = shop if engine == "spark" else FolderLake(shop.root)
    count = export_segment(reader, FAKE.run_id, "value", "economy", form, place)
    members = shop.read_run(USER_SEGMENTS, FAKE.run_id).where("scheme = 'value' AND segment_name = 'economy'")
    expected = sorted(row.user_id for row in members.select("user_id").collect())
    if form == "csv":
        with open(place, encoding="utf-8", newline="") as file:
            found = list(csv.DictReader(file))
    else:
        table = pq.read_table(place) if form == "parquet" else DeltaTable(place).to_pyarrow_table()
        found = sorted(table.to_pylist(), key=lambda row: row["user_id"])
    assert tuple(found[0]) == MEMBER
    assert [row["user_id"] for row in found] == expected and count == len(expected) > 0


def test_nothing_is_written_over_what_is_there(spark, selected, tmp_path):
    place = tmp_path / "there.csv"
    place.write_text("mine")
    rows = selected(spark.range(1).select(F.col("id")))
    for form in ("csv", "parquet", "delta"):
        with pytest.raises(InputError, match="is there already; name another place"):
            write_export(rows, form, str(place))
    assert place.read_text() == "mine" and not list(tmp_path.glob("*.writing"))


def test_spark_writes_what_duckdb_cannot(tmp_path):
    assert engine_for("csv", str(tmp_path), None) is None
    assert engine_for("parquet", "here", "duckdb") == "duckdb"
    assert engine_for("delta", "here", None) == engine_for("csv", "s3a://there/x.csv", None) == "spark"
    for form, path in (("delta", "here"), ("csv", "s3a://there/x.csv")):
        with pytest.raises(InputError, match=r"--engine duckdb: .* by Spark only"):
            engine_for(form, path, "duckdb")


@pytest.mark.slow
def test_an_unknown_segment_is_told_with_those_that_are_there(shop, tmp_path):
    with pytest.raises(InputError, match=r"scheme value has no lojal; it has: .*economy"):
        export_segment(shop, FAKE.run_id, "value", "lojal", "csv", str(tmp_path / "x"))


def test_contacts_are_exported_without_who_is_held_out_or_has_withdrawn_consent(lake, tmp_path):
    plan = [
        ("july", "u1", "loyal", "letter", "email", date(2024, 7, 1), ["i1", "i2"], 0.5, False),
        ("july", "u2", "loyal", "letter", "email", date(2024, 7, 2), None, 0.5, False),
        ("july", "u3", "loyal", "letter", "email", date(2024, 7, 2), None, 0.5, True),
        ("july", "u4", "loyal", "letter", "email", date(2024, 7, 2), None, 0.5, False),
    ]
    names = ("campaign_id", "user_id", "segment_name", "action", "channel", "send_on", "items", "propensity", "holdout")
    lake.replace_run(CAMPAIGN_PLAN, frame_with(lake, CAMPAIGN_PLAN, names, plan), "r1")
    lake.replace_run(CAMPAIGNS, frame_with(lake, CAMPAIGNS, ("campaign_id",), [("july",)]), "r1")
    consent = [("u1", True), ("u2", True), ("u3", True), ("u4", False)]
    lake.append(USERS, frame_with(lake, USERS, ("user_id", "consent"), consent))
    written = {}
    for engine, reader in (("spark", lake), ("duckdb", FolderLake(lake.root))):
        path = tmp_path / f"{engine}.csv"
        assert export_campaign(reader, "r1", Contacts("july"), "csv", str(path)) == 2
        with path.open(newline="") as file:
            rows = list(csv.DictReader(file))
        assert [(row["user_id"], row["items"]) for row in rows] == [("u1", "i1 i2"), ("u2", "")]
        later, place = Contacts("july", consent_required=False, since=date(2024, 7, 2)), tmp_path / f"{engine} later"
        assert export_campaign(reader, "r1", later, "parquet", str(place)) == 2
        written[engine] = path.read_text(), pq.read_table(place).to_pylist()
        with pytest.raises(InputError, match="planned no june; it planned: july"):
            export_campaign(reader, "r1", Contacts("june"), "csv", str(tmp_path / "june.csv"))
    assert written["spark"] == written["duckdb"]


def frame_with(lake, contract, names, rows):
    """Rows of a table of which only these columns are told."""
    told = [dict(zip(names, row, strict=True)) for row in rows]
    return frame_of(lake.spark, contract, [dict.fromkeys(contract.names) | row for row in told])
