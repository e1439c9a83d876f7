import csv
from datetime import date

import pyarrow.parquet as pq
import pytest
from click.testing import CliRunner
from deltalake import DeltaTable
from pyspark.sql import functions as F

from segspark import cli
from segspark.bi.export.cells import neutralised
from segspark.bi.export.stage import MEMBER, Contacts, export_campaign, export_segment, write_export
from segspark.core.contracts import CAMPAIGN_PLAN, CAMPAIGNS, USER_SEGMENTS, USERS, frame_of
from segspark.core.errors import InputError
from tests.unit.bi.conftest import FAKE

FORMULAS = ["=1+1", "+1", "-1", "@SUM(A1)", "\t=1", "\rx", "\nx", "  =cmd|' /C calc'!A0", "\uff1d1+1", "\x00=1"]
HARMLESS = ["a=b", "1-2", "", "'quoted", "u 12", "\u202ex", 'say "hi", twice', "ä\nsecond line", "x@y.example"]


@pytest.mark.parametrize("text", FORMULAS)
def test_a_text_that_begins_a_formula_gets_an_apostrophe(spark, text):
    assert neutralised(spark.createDataFrame([(text,)], "name string")).first()[0] == "'" + text


def test_other_texts_and_numbers_stay_as_they_are(spark):
    rows = [(text, -1.5, -2) for text in HARMLESS] + [(None, None, None)]
    frame = spark.createDataFrame(rows, "`a name` string, share double, units int")
    assert [tuple(row) for row in neutralised(frame).collect()] == rows


def test_an_exported_csv_is_one_file_that_a_csv_reader_gives_back_whole(spark, tmp_path):
    texts = [*HARMLESS, *FORMULAS]
    rows = spark.createDataFrame(list(enumerate(texts)), "place int, name string").repartition(3).orderBy("place")
    path = tmp_path / "out.csv"
    assert write_export(rows, "csv", str(path)) == len(texts)
    assert sorted(tmp_path.iterdir()) == [path]
    with path.open(encoding="utf-8", newline="") as file:
        read = list(csv.reader(file))
    assert read[0] == ["place", "name"]
    assert [(int(place), text) for place, text in read[1:]] == [
        (place, text if text in HARMLESS else "'" + text) for place, text in enumerate(texts)
    ]


@pytest.mark.slow
@pytest.mark.parametrize("form", ["csv", "parquet", "delta"])
def test_a_segment_is_exported_with_all_its_users(shop, tmp_path, form):
    place = str(tmp_path / "economy")
    count = export_segment(shop, FAKE.run_id, "value", "economy", form, place)
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


@pytest.mark.slow
def test_the_command_exports_a_segment_of_the_published_run(shop, tmp_path, monkeypatch):
    monkeypatch.setattr(cli.reading, "open_lake", lambda config: shop)
    shop.publish(FAKE.run_id, "me", "run", {}, {})
    place = tmp_path / "economy.csv"
    done = CliRunner().invoke(cli.main_group, ["export", "--segment", "economy", "--to", str(place)])
    assert done.exit_code == 0, done.output
    assert place.read_text(encoding="utf-8").startswith(",".join(MEMBER))
    assert f"users of economy in {place}" in done.output


def test_nothing_is_written_over_what_is_there(spark, tmp_path):
    place = tmp_path / "there.csv"
    place.write_text("mine")
    for form in ("csv", "parquet", "delta"):
        with pytest.raises(InputError, match="is there already; name another place"):
            write_export(spark.range(1).select(F.col("id")), form, str(place))
    assert place.read_text() == "mine"


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
    path = tmp_path / "contacts.csv"
    assert export_campaign(lake, "r1", Contacts("july"), "csv", str(path)) == 2
    with path.open(newline="") as file:
        rows = list(csv.DictReader(file))
    assert [(row["user_id"], row["items"]) for row in rows] == [("u1", "i1 i2"), ("u2", "")]
    later = Contacts("july", consent_required=False, since=date(2024, 7, 2))
    assert export_campaign(lake, "r1", later, "parquet", str(tmp_path / "later")) == 2
    with pytest.raises(InputError, match="planned no june; it planned: july"):
        export_campaign(lake, "r1", Contacts("june"), "csv", str(tmp_path / "june.csv"))


def frame_with(lake, contract, names, rows):
    """Rows of a table of which only these columns are told."""
    told = [dict(zip(names, row, strict=True)) for row in rows]
    return frame_of(lake.spark, contract, [dict.fromkeys(contract.names) | row for row in told])
