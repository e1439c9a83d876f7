from pathlib import Path

import duckdb
import pytest
import sqlglot

from segspark.bi.marts.catalogue import load_views, names_in, parse_view
from segspark.bi.marts.rendering import view_query, view_statements_of
from segspark.bi.marts.views import dialect_over
from segspark.core.errors import ConfigError

GOOD = "-- grain: one segment\n-- scheme: the scheme\n-- users: how many\n"
BODY = "SELECT scheme, size AS users FROM published.segments WHERE size >= min_group"
HEADS = {
    "": "first line says what a row is; write `-- grain:",
    "-- grain: one\n-- scheme the scheme\n": "line 2: write `-- column: what it is`",
    "-- grain: one\n-- scheme: a\n-- scheme: b\n-- users: c\n": "scheme is explained twice",
    "-- grain: one\n-- scheme: a\n": "users is not explained; write `-- users: what it is`",
    "-- grain: one\n-- scheme: a\n-- users: b\n-- why: c\n": "why is explained but not shown; leave the line out",
    "-- grain: one\n-- users: b\n-- scheme: a\n": "in another order than they are shown",
}
BODIES = {
    "SELECT scheme, size AS users FROM published.segments WHERE": "no SQL that Spark understands",
    "SELECT 1 AS scheme, 2 AS users; SELECT 2": "the file must hold one SELECT",
    "DROP TABLE segments": "the file must hold one SELECT",
    "SELECT *, 1 AS users FROM published.segments": "`*` shows whatever a table gains; name the columns",
    "SELECT scheme, size AS users FROM published.orders": "published.orders is no run table",
    "SELECT region AS scheme, 1 AS users FROM published.user_features": "has columns that come and go; read user_facts",
    "SELECT stage AS scheme, 1 AS users FROM ledger.users": "ledger.users is no ledger; there are runs",
    "SELECT scheme, size AS users FROM delta.`/lake/users`": "is no source of a view; use published",
    "SELECT scheme, size AS users FROM a.published.segments": "is no source of a view; use published",
    "SELECT user_id AS scheme, 1 AS users FROM published.user_segments": "user_id describes or names a person; join by",
    "SELECT scheme, 1 AS users FROM published.user_segments WHERE user_id = 'ann'": "user_id describes or names",
    "SELECT max(USER_ID) AS scheme, 1 AS users FROM published.user_segments": "USER_ID describes or names",
    "SELECT reflect('java.lang.System', 'exit') AS scheme, 1 AS users": "reflect is a function of one engine only",
}


def write(folder: Path, **views: str) -> str:
    for name, text in views.items():
        (folder / f"{name}.sql").write_text(text, encoding="utf-8")
    return str(folder)


@pytest.mark.parametrize("head", HEADS)
def test_a_head_that_does_not_explain_the_columns_is_refused_with_what_to_write(tmp_path, head):
    folder = write(tmp_path, sizes=head + BODY)
    with pytest.raises(ConfigError) as refused:
        load_views(folder)
    assert str(refused.value).startswith(f"{folder}/sizes.sql: ") and HEADS[head] in str(refused.value)
    assert "\n" not in str(refused.value)


@pytest.mark.parametrize("body", BODIES)
def test_a_query_that_breaks_a_rule_is_refused_with_how_to_mend_it(tmp_path, body):
    folder = write(tmp_path, sizes=GOOD + body)
    with pytest.raises(ConfigError) as refused:
        load_views(folder)
    assert str(refused.value).startswith(f"{folder}/sizes.sql: ") and BODIES[body] in str(refused.value)
    assert "\n" not in str(refused.value)


def test_a_folder_without_views_an_unknown_view_a_circle_and_a_table_s_name_are_refused(tmp_path):
    with pytest.raises(ConfigError, match=r"marts.folder: there is no .sql file in"):
        load_views(str(tmp_path))
    head = "-- grain: one\n-- a: b\n"
    for views, told in (
        ({"one": f"{head}SELECT a FROM two"}, "two is no view here; write published.two for a table"),
        ({"one": f"{head}SELECT a FROM two", "two": f"{head}SELECT a FROM one"}, "read each other in a circle"),
        ({"segments": f"{head}SELECT name AS a FROM published.segments"}, "segments is a table of the lake"),
        ({"Big-One": f"{head}SELECT 1 AS a"}, "the file's name is the view's; use small letters"),
    ):
        folder = tmp_path / told[:3]
        folder.mkdir()
        with pytest.raises(ConfigError, match=told):
            load_views(write(folder, **views))


def test_a_view_comes_after_those_it_reads(tmp_path):
    head = "-- grain: one\n--   thing\n-- a: b\n"
    folder = write(tmp_path, a=f"{head}SELECT a FROM b", b=f"{head}WITH c AS (SELECT a FROM d) SELECT a FROM c")
    write(tmp_path, d=f"{head}SELECT name AS a FROM published.segments")
    views = load_views(folder)
    assert [view.name for view in views] == ["d", "b", "a"]
    assert views[0].comment == "One row is one thing."


def test_a_query_needs_the_views_it_names_and_those_they_read():
    names = names_in("WITH a AS (SELECT 1 FROM Segment_Trend) SELECT * FROM a JOIN dim_item ON true")
    assert {view.name for view in load_views("conf/bi", names)} == {"segment_trend", "published_runs", "dim_item"}
    assert names_in("SHOW VIEWS") is None and names_in("SELECT (") is None
    assert len(load_views("conf/bi", None)) == len(load_views("conf/bi")) > 3


def test_names_become_those_of_the_engine_and_the_bound_a_number():
    view = parse_view("sizes", GOOD + BODY)
    assert view_query(view, dialect_over("spark", "/a lake"), 10) == (
        "SELECT scheme, size AS users FROM (SELECT `scheme`, `size` FROM delta.`/a lake/segments` WHERE"
        " run_id = (SELECT MAX_BY(run_id, seq) FROM delta.`/a lake/publications`)) AS segments WHERE size >= 10"
    )
    in_duckdb = view_query(view, dialect_over("duckdb", "it's"), 10)
    assert "delta_scan('it''s/segments')" in in_duckdb
    in_trino = view_query(view, dialect_over("trino", "delta.shop"), 10)
    assert '"delta"."shop"."segments"' in in_trino and "segspark_" not in in_trino


def test_every_kept_run_is_read_by_history_and_what_is_not_there_is_empty():
    view = parse_view("sizes", GOOD + BODY.replace("published", "history"))
    spoken = dialect_over("duckdb", "/lake")
    assert "run_id IN (SELECT run_id FROM delta_scan('/lake/publications'))" in view_query(view, spoken, 10)
    empty = view_query(view, spoken, 10, shapes={})
    assert duckdb.sql(empty).fetchall() == [] and duckdb.sql(empty).columns == ["scheme", "users"]
    shapes = {"segments": ["run_id", "size"], "publications": ["seq"]}
    assert "CAST(NULL AS TEXT) AS" in view_query(view, spoken, 10, shapes)


def test_all_views_are_valid_sql_of_trino_in_an_order_that_can_be_run():
    views = load_views("conf/bi")
    statements = view_statements_of(views, dialect_over("trino", "delta.shop"), 10)
    made: set[str] = set()
    for view, statement in zip(views, statements, strict=True):
        tree = sqlglot.parse_one(statement, read="trino")
        read = {table.name for table in tree.expression.find_all(sqlglot.exp.Table) if table.db == "shop_bi"}
        assert read == view.needs <= made
        made.add(view.name)
