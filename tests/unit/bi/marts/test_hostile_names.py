"""Names that a shop does not choose: a shelf may be called anything."""

from pathlib import Path

import pytest
from click.testing import CliRunner

from segspark import cli
from segspark.bi.marts.catalogue import load_views
from segspark.bi.query.stage import Offer, printed_views, register_views
from segspark.cli import reading
from segspark.core.folder_lake import FolderLake
from segspark.core.lake import Lake
from tests.unit.bi.marts.readers import VIEWS, in_duckdb
from tests.unit.bi.marts.test_marts_views import rows_in_duckdb, rows_in_spark
from tests.unit.bi.marts.trading import FIRST, SHELVES, write_shop

pytestmark = pytest.mark.slow

HOSTILE = (
    "<script>alert('x')</script>\"; DROP TABLE segments; --",
    "=1+1 ${lake} ${env:HOME} {table} %s `x`",
    "\u202eevil\u202c \\' \\n [red]x[/red] */ /* segspark_table_place_runs",
)
QUESTIONS = sorted(Path(VIEWS.folder, "questions").glob("*.sql"))


def first_run(lake, shelves):
    """The lake with the first run of the shop alone published, its shelves called so."""
    write_shop(lake, FIRST._replace(shelves=shelves), second=None)
    lake.publish("r-1", "me", "run", {}, {})
    return lake


@pytest.fixture(scope="module")
def plain(spark, tmp_path_factory):
    """Not `trading`: what other tests published there stays in its history, which questions tell."""
    return first_run(Lake(spark, str(tmp_path_factory.mktemp("it's plain"))), SHELVES)


@pytest.fixture(scope="module")
def bazaar(spark, tmp_path_factory):
    """The same shop, its shelves under hostile names."""
    return first_run(Lake(spark, str(tmp_path_factory.mktemp("bazaar"))), HOSTILE)


def renamed(answer):
    """With plain names again, in any order: questions put names in their order."""
    shelf_of = dict(zip(HOSTILE, SHELVES, strict=True))
    return answer[0], sorted((tuple(shelf_of.get(value, value) for value in row) for row in answer[1]), key=repr)


def test_the_sql_of_views_is_the_same_whatever_shelves_are_called(plain, bazaar):
    for dialect in ("spark", "duckdb"):
        of_plain, of_bazaar = (
            [s.replace(lake.root.replace("'", "''"), "LAKE").replace(lake.root, "LAKE") for s in statements]
            for lake, statements in ((lake, printed_views(lake, VIEWS, dialect)) for lake in (plain, bazaar))
        )
        assert of_plain == of_bazaar


def test_hostile_names_come_out_as_they_are_and_change_no_other_answer(plain, bazaar):
    own, database = {}, in_duckdb(bazaar)
    asked = {view.name: f"SELECT * FROM {view.name}" for view in load_views(VIEWS.folder)}
    asked |= {path.stem: path.read_text(encoding="utf-8") for path in QUESTIONS}
    del asked["published_runs"]  # tells when each lake was published
    register_views(bazaar, Offer(VIEWS))
    for name, question in asked.items():
        own[name] = rows_in_spark(bazaar.spark, question)
        assert sorted(own[name][1], key=repr) == sorted(rows_in_duckdb(database, question)[1], key=repr)
    register_views(plain, Offer(VIEWS))
    for name, answer in own.items():
        assert renamed(answer) == renamed(rows_in_spark(plain.spark, asked[name])), name
    assert set(HOSTILE) <= {row[0] for row in rows_in_duckdb(database, "SELECT category FROM dim_item")[1]}


@pytest.mark.parametrize("engine", ["spark", "duckdb"])
def test_the_command_prints_them_without_what_steers_a_terminal(bazaar, monkeypatch, engine):
    lake = bazaar if engine == "spark" else FolderLake(bazaar.root)
    monkeypatch.setattr(reading, "reading_lake", lambda config, engine: lake)
    monkeypatch.setenv("COLUMNS", "200")
    bazaar.spark.catalog.dropTempView("user_features")  # of another test in the same session
    found = CliRunner().invoke(cli.main_group, ["query", "SELECT category FROM dim_item ORDER BY item_id"])
    assert found.exit_code == 0, found.output
    assert "\u202e" not in found.output and "[red]x[/red]" in found.output and "<script>" in found.output
    refused = CliRunner().invoke(cli.main_group, ["query", "SELECT * FROM user_features"])
    assert "`user_features` is not among" in str(refused.exception) and "--tables" in str(refused.exception)
    whole = CliRunner().invoke(cli.main_group, ["query", "--tables", "SELECT count(*) AS users FROM user_features"])
    assert "80" in whole.output
