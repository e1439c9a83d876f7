import math
import re
from contextlib import contextmanager
from datetime import date, datetime, timezone
from pathlib import Path

import pytest
import sqlglot

from segspark.bi.marts.catalogue import load_views
from segspark.bi.query.stage import Offer, ask, offered_database, printed_views, register_views
from segspark.core.contracts import TABLES, USER_FACTS
from segspark.core.folder_lake import FolderLake
from tests.unit.bi.marts.readers import VIEWS, in_duckdb
from tests.unit.bi.marts.trading import TINY_MONEY, USERS

pytestmark = pytest.mark.slow

NAMES = [view.name for view in load_views(VIEWS.folder)]
QUESTIONS = sorted(Path(VIEWS.folder, "questions").glob("*.sql"))
ROW_LEVEL = {"dim_user", "fact_membership", "top_recommendations"}  # a row is one user, under a pseudonym
COUNTS = re.compile(r"(\w+_)?(users|buyers)\w*|contacts|held_out")
NESTED = {"array", "map", "struct"}
CATALOGUES = {"dim_segment", "dim_item"}  # names of segments and items stay, their numbers do not


def plain(value):
    """Times without a zone, numbers told to nine digits: sums of doubles differ by the order they are taken in."""
    if isinstance(value, datetime):
        return value.astimezone(timezone.utc).replace(tzinfo=None) if value.tzinfo else value
    if isinstance(value, float):
        return value if value == 0 or not math.isfinite(value) else float(f"{value:.9g}")
    return value


def rows_in_spark(spark, sql):
    frame = spark.sql(sql)
    return list(frame.columns), [tuple(map(plain, row)) for row in frame.collect()]


def rows_in_duckdb(database, sql):
    result = database.execute(sql)
    return [column[0] for column in result.description], [tuple(map(plain, row)) for row in result.fetchall()]


@contextmanager
def published(lake, run_id):
    lake.publish(run_id, "me", "run", {}, {})
    try:
        yield
    finally:
        lake.publish("r-1", "me", "rollback", {}, {})


def in_any_order(answer):
    return answer[0], sorted(answer[1], key=repr)


@pytest.fixture(scope="module")
def first(trading):
    """DuckDB, opened while r-1 was published."""
    return in_duckdb(trading)


@pytest.fixture(scope="module")
def second(trading):
    """DuckDB, opened while r-2 was published."""
    with published(trading, "r-2"):
        return in_duckdb(trading)


@pytest.fixture(scope="module")
def shown(trading):
    """By view, its columns and rows of r-1 in Spark."""
    register_views(trading, Offer(VIEWS))
    return {name: rows_in_spark(trading.spark, f"SELECT * FROM {name}") for name in NAMES}


@pytest.mark.parametrize("name", NAMES)
def test_a_view_has_the_same_rows_in_spark_and_in_duckdb(shown, first, name):
    assert in_any_order(shown[name]) == in_any_order(rows_in_duckdb(first, f"SELECT * FROM {name}"))
    assert shown[name][1] or name == "segment_migration"  # of a first run


def test_a_view_has_the_same_rows_where_the_command_asks_duckdb(trading, shown):
    database = offered_database(FolderLake(trading.root), Offer(VIEWS))
    for name in NAMES:
        assert in_any_order(shown[name]) == in_any_order(rows_in_duckdb(database, f"SELECT * FROM {name}")), name


def test_a_question_has_the_same_answer_where_the_command_asks_duckdb(trading):
    lake, offer = FolderLake(trading.root), Offer(VIEWS)

    def compare():
        printed = in_duckdb(trading)
        for text in (path.read_text(encoding="utf-8") for path in QUESTIONS):
            found = ask(lake, offer, text.strip().rstrip(";"), 100_000)
            assert (found.columns, [tuple(map(plain, row)) for row in found.rows]) == rows_in_duckdb(printed, text), (
                text
            )

    compare()
    with published(trading, "r-2"):
        compare()


def test_tables_have_the_same_rows_in_spark_and_where_the_command_asks_duckdb(trading):
    offer = Offer(VIEWS, logs=True)
    register_views(trading, offer)
    database = offered_database(FolderLake(trading.root), offer)
    for name in [*TABLES, "user_neighbours"]:
        columns, rows = rows_in_spark(trading.spark, f"SELECT * FROM {name}")
        found = rows_in_duckdb(database, f"SELECT * FROM {name}")
        assert (columns, len(rows)) == (found[0], len(found[1])), name
        flat = [
            column for column in columns if trading.spark.table(name).schema[column].dataType.typeName() not in NESTED
        ]
        listed = ", ".join(f"`{column}`" for column in flat)
        spoken = listed.replace("`", '"')
        of_spark = rows_in_spark(trading.spark, f"SELECT {listed} FROM {name}")
        assert in_any_order(of_spark) == in_any_order(rows_in_duckdb(database, f"SELECT {spoken} FROM {name}")), name


@pytest.mark.parametrize("name", sorted(set(NAMES) - ROW_LEVEL - CATALOGUES))
def test_no_aggregate_shows_anything_of_a_small_group(first, second, name):
    for database in (first, second):
        columns, rows = rows_in_duckdb(database, f"SELECT * FROM {name}")
        told = [value for row in rows for value in row]
        assert not [value for value in told if isinstance(value, str) and "tiny" in value]
        assert not {TINY_MONEY * n for n in (1, 2, 3)} & set(told)
        assert not {date(2023, 12, 1), "refit"} & set(told)  # a cohort of six, and five who moved by the refit
        counts = [place for place, column in enumerate(columns) if COUNTS.fullmatch(column)]
        counts = [place for place in counts if not columns[place].startswith("share_of_")]
        assert all(row[place] is None or row[place] == 0 or row[place] >= 10 for row in rows for place in counts)
    assert rows


def test_small_segments_and_rare_items_keep_their_name_and_lose_their_numbers(first):
    asked = "SELECT why, users, share FROM dim_segment WHERE segment_name LIKE 'tiny%'"
    assert rows_in_duckdb(first, asked)[1] == [(None, None, None)] * 2
    asked = "SELECT category, buyers, units, revenue FROM dim_item WHERE item_id = 'tiny item'"
    assert rows_in_duckdb(first, asked)[1] == [("tiny shelf", None, None, None)]


def test_a_higher_bound_hides_more(trading):
    strict = in_duckdb(trading, VIEWS.model_copy(update={"min_group": 26}))
    asked = "SELECT segment_name FROM segment_overview WHERE scheme = 'value'"
    assert rows_in_duckdb(strict, asked)[1] == [("loyal",)]


def test_no_view_has_a_personal_column_or_names_a_user(trading, shown):
    personal = {column.name for table in TABLES.values() for column in table.columns if column.personal}
    ids = {f"u{n}" for n in range(USERS)}
    for name, (columns, rows) in shown.items():
        assert not personal & set(columns)
        assert not ids & {value for row in rows for value in row if isinstance(value, str)}, name
    keys = {row.user_key for row in trading.read_run(USER_FACTS, "r-1").collect()}
    columns, rows = shown["dim_user"]
    assert {row[columns.index("user_key")] for row in rows} == keys


def test_every_view_and_column_has_its_comment_in_the_catalogue(trading, first, shown):
    for view in load_views(VIEWS.folder):
        told = {row.col_name: row.comment for row in trading.spark.sql(f"DESCRIBE {view.name}").collect()}
        assert told == view.columns and all(told.values())
    views = dict(first.execute("SELECT view_name, comment FROM duckdb_views() WHERE NOT internal").fetchall())
    assert all(views[view.name] == view.comment for view in load_views(VIEWS.folder))
    columns = "SELECT table_name, column_name, comment FROM duckdb_columns() WHERE NOT internal"
    told = {(view, column): comment for view, column, comment in first.execute(columns).fetchall()}
    for view in load_views(VIEWS.folder):
        assert all(told[view.name, column] == said for column, said in view.columns.items())


def test_a_session_offers_neither_tables_nor_logs_unless_asked(trading):
    assert set(register_views(trading, Offer(VIEWS))) == set(NAMES)
    with_tables = set(register_views(trading, Offer(VIEWS, tables=True))) - set(NAMES)
    assert {"user_features", "user_neighbours", "runs", "items"} <= with_tables
    assert not {"users", "orders", "quarantine", "user_days"} & with_tables
    assert set(TABLES) <= set(register_views(trading, Offer(VIEWS, tables=True, logs=True)))


def test_questions_have_one_answer_and_a_run_published_half_way_is_not_mixed_with_the_other(trading, first, second):
    """Each in Spark and in DuckDB: half of them of r-1, then r-2 is published, and the others of r-2."""
    register_views(trading, Offer(VIEWS))
    of_first, of_second = (
        {path.stem: rows_in_duckdb(database, path.read_text(encoding="utf-8")) for path in QUESTIONS}
        for database in (first, second)
    )
    assert all(rows for _, rows in of_second.values()), "a question that nothing answers shows nothing"
    assert sum(of_first[name] != of_second[name] for name in of_first) > len(QUESTIONS) // 2
    before = [path for path in QUESTIONS if of_first[path.stem][1]][: len(QUESTIONS) // 2]
    for path in before:
        assert rows_in_spark(trading.spark, path.read_text(encoding="utf-8")) == of_first[path.stem], path.stem
    with published(trading, "r-2"):
        for path in (path for path in QUESTIONS if path not in before):
            assert rows_in_spark(trading.spark, path.read_text(encoding="utf-8")) == of_second[path.stem], path.stem
            assert rows_in_duckdb(first, path.read_text(encoding="utf-8")) == of_first[path.stem], path.stem


@pytest.mark.parametrize("path", QUESTIONS, ids=[path.stem for path in QUESTIONS])
def test_a_question_begins_with_itself_and_asks_views_only(path):
    first = path.read_text(encoding="utf-8").splitlines()[0]
    assert first.startswith("-- ") and first.endswith("?")
    tree = sqlglot.parse_one(path.read_text(encoding="utf-8"), read="spark")
    own = {cte.alias for cte in tree.find_all(sqlglot.exp.CTE)}
    assert {table.name for table in tree.find_all(sqlglot.exp.Table)} - own <= set(NAMES)


def test_there_are_twenty_questions_at_least():
    assert len(QUESTIONS) >= 20


def test_printed_views_can_be_run_in_their_order(trading):
    statements = printed_views(trading, VIEWS, "spark")
    at = {name: next(n for n, s in enumerate(statements) if f"VIEW `{name}`" in s) for name in NAMES}
    for view in load_views(VIEWS.folder):
        assert all(at[other] < at[view.name] for other in view.needs)
