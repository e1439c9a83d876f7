"""Questions to a lake that no Spark wrote and none reads: what may be asked, and what may not."""

from datetime import date, datetime, timezone
from pathlib import Path

import duckdb
import pytest

from segspark.bi.config import MartsConfig
from segspark.bi.query.stage import BASE, Offer, ask, offered_database, printed_views
from segspark.core.contracts import (
    PUBLICATIONS,
    RUNS,
    SEGMENT_FACTS,
    SEGMENTS,
    TABLES,
    USER_FACTS,
    USER_SIMILARITY,
    USERS,
)
from segspark.core.errors import ConfigError, InputError
from segspark.core.folder_lake import FolderLake
from tests.lakes import add_rows

VIEWS = MartsConfig(folder="conf/bi")
NOW = datetime(2024, 3, 1, 12, tzinfo=timezone.utc)
SIZES = {"r-1": {"loyal": 40, "tiny": 3}, "r-2": {"loyal": 50, "tiny": 3}}  # users of the segments, by run


def publish(root, seq, run_id):
    add_rows(root, PUBLICATIONS, [{"seq": seq, "run_id": run_id, "published_at": NOW, "by": "me", "reason": "run"}])


@pytest.fixture(scope="module")
def lake(tmp_path_factory):
    """Two runs, the first of them published, and a third that was never."""
    root = tmp_path_factory.mktemp("it's a lake")
    for run_id, sizes in {**SIZES, "r-3": {"secret": 90}}.items():
        add_rows(root, RUNS, [{"run_id": run_id, "stage": "run", "status": "done", "as_of": date(2024, 3, 1)}])
        for number, (name, users) in enumerate(sizes.items()):
            segment = {"scheme": "value", "segment_id": number}
            add_rows(root, SEGMENTS, [{**segment, "name": name, "why": f"why {name}", "size": users}], run_id)
            facts = {"users": users, "buyers": users, "orders": users, "revenue": 10.0 * users}
            add_rows(root, SEGMENT_FACTS, [{**segment, **facts}], run_id)
    add_rows(root, USER_FACTS, [{"user_id": f"u{n}", "user_key": f"key{n}"} for n in range(40)], "r-1")
    near = [{"neighbour_id": "u2", "similarity": 0.5}, {"neighbour_id": "u1", "similarity": 0.25}]
    add_rows(root, USER_SIMILARITY, [{"method": "cosine", "user_id": "u0", "neighbours": near}], "r-1")
    add_rows(root, USERS, [{"user_id": "u0", "income": 1000.0, "consent": True}])
    publish(root, 1, "r-1")
    return FolderLake(str(root))


def asked(lake, statement, limit=50, **offer):
    return ask(lake, Offer(VIEWS, **offer), statement, limit)


def test_a_view_answers_for_the_published_run_and_hides_small_groups(lake):
    found = asked(lake, "SELECT segment_name, users, revenue FROM segment_overview WHERE scheme = 'value'")
    assert found.columns == ["segment_name", "users", "revenue"]
    assert found.rows == [("loyal", 40, 400.0)]


def test_another_publication_changes_all_views_and_a_run_that_was_never_published_is_not_seen(tmp_path):
    for run_id, sizes in SIZES.items():
        for number, (name, users) in enumerate(sizes.items()):
            row = {"scheme": "value", "segment_id": number}
            add_rows(tmp_path, SEGMENTS, [{**row, "name": name}], run_id)
            add_rows(tmp_path, SEGMENT_FACTS, [{**row, "users": users, "buyers": 0}], run_id)
        add_rows(tmp_path, RUNS, [{"run_id": run_id, "stage": "run", "status": "done", "as_of": date(2024, 3, 1)}])
    lake, question = FolderLake(str(tmp_path)), "SELECT segment_name, users FROM segment_overview"
    history = "SELECT run_id FROM published_runs ORDER BY run_id"
    assert (asked(lake, question).rows, asked(lake, history).rows) == ([], [])
    publish(tmp_path, 1, "r-1")
    assert (asked(lake, question).rows, asked(lake, history).rows) == ([("loyal", 40)], [("r-1",)])
    publish(tmp_path, 2, "r-2")
    assert (asked(lake, question).rows, asked(lake, history).rows) == ([("loyal", 50)], [("r-1",), ("r-2",)])
    assert asked(lake, "SELECT name FROM segments ORDER BY 1", tables=True).rows == [("loyal",), ("tiny",)]


def test_every_view_and_every_question_of_the_folder_can_be_asked(lake):
    offer = Offer(VIEWS)
    database = offered_database(lake, offer)
    for name in offer.names:
        database.execute(f"SELECT * FROM {name}").fetchall()
    for path in sorted(Path(VIEWS.folder, "questions").glob("*.sql")):
        ask(lake, offer, path.read_text(encoding="utf-8").strip().rstrip(";"), 5)


def test_views_only_are_offered_then_tables_then_logs(lake):
    for name in ("segments", "user_facts", "user_neighbours", "runs", "users", "orders"):
        with pytest.raises(
            InputError, match=rf"query: `{name}` is not among .*segment_overview.*; --tables and --logs"
        ):
            asked(lake, f"SELECT * FROM {name}")
    assert [row[:2] for row in asked(lake, "SELECT name, size FROM segments ORDER BY size", tables=True).rows] == [
        ("tiny", 3),
        ("loyal", 40),
    ]
    with pytest.raises(InputError, match="`users` is not among"):
        asked(lake, "SELECT * FROM users", tables=True)
    assert asked(lake, "SELECT user_id, income FROM users", logs=True).rows == [("u0", 1000.0)]
    assert asked(lake, "SELECT count(*) FROM orders", logs=True).rows == [(0,)]  # never written
    assert {*TABLES, "user_neighbours"} <= set(Offer(VIEWS, logs=True).names)


def test_the_neighbours_of_a_user_are_rows(lake):
    found = asked(lake, "SELECT user_id, rank, neighbour_id FROM user_neighbours ORDER BY rank", tables=True)
    assert found.rows == [("u0", 1, "u2"), ("u0", 2, "u1")]


def test_a_limit_is_kept_and_names_may_be_written_in_capitals(lake):
    assert len(asked(lake, "SELECT * FROM User_Facts", limit=7, tables=True).rows) == 7


HOSTILE = """
    SELECT * FROM read_csv('/etc/passwd')
    SELECT * FROM read_text('/etc/hosts')
    SELECT * FROM read_parquet('{file}')
    SELECT * FROM parquet_metadata('{file}')
    SELECT * FROM '{file}'
    FROM '{file}'
    SELECT * FROM `{file}`
    SELECT * FROM parquet.`{file}`
    SELECT * FROM delta.`{root}/users`
    SELECT * FROM glob('/*')
    SELECT * FROM query('SELECT 1')
    SELECT * FROM query_table('lake.users')
    SELECT * FROM {base}.user_facts
    SELECT * FROM main.user_facts
    SELECT * FROM information_schema.tables
    SELECT * FROM duckdb_views
    SELECT * FROM sqlite_master
    SELECT * FROM duckdb_settings()
    SELECT * FROM pragma_database_list
    WITH a AS (SELECT * FROM sqlite_master), sqlite_master AS (SELECT 1) SELECT * FROM a
    WITH a AS (WITH sqlite_master AS (SELECT 1) SELECT * FROM sqlite_master) SELECT * FROM sqlite_master
    SELECT * FROM segment_overview WHERE users IN (SELECT size FROM sqlite_master)
    SELECT (SELECT max(sql) FROM sqlite_master) FROM segment_overview
    SELECT * FROM segment_overview, LATERAL (SELECT * FROM sqlite_master)
    SELECT * FROM lake
    SELECT * FROM lock
    SELECT getenv('HOME')
    SELECT current_setting('temp_directory')
    SELECT read_text('/etc/hosts')
    SELECT reflect('java.lang.System', 'getenv', 'HOME')
    SELECT TRANSFORM(scheme) USING 'cat' FROM segment_overview
    COPY segment_overview TO '/tmp/stolen.csv'
    COPY (SELECT 1) TO '{file}'
    ATTACH '/tmp/stolen.db'
    INSTALL httpfs
    LOAD httpfs
    SET threads = 1
    RESET enable_external_access
    PRAGMA database_list
    CALL pragma_version()
    CHECKPOINT
    EXPORT DATABASE '/tmp/stolen'
    IMPORT DATABASE '/tmp/stolen'
    CREATE TABLE x AS SELECT 1
    CREATE SECRET (TYPE s3)
    DROP VIEW segment_overview
    INSERT INTO segment_overview VALUES (1)
    DELETE FROM segment_overview
    UPDATE segment_overview SET users = 1
    SELECT * INTO x FROM segment_overview
    SHOW TABLES
    DESCRIBE segment_overview
    EXPLAIN ANALYZE SELECT 1
    SELECT 1; SELECT 2
    SELECT 1; DROP VIEW segment_overview
    VALUES (1)
    SELECT ?
    SELECT :name
    SELECT $1
    SELECT
    SELECT * FROM segment_overview VERSION AS OF 1
    SELECT * FROM segment_overview TABLESAMPLE (1 ROWS)
    WITH RECURSIVE r AS (SELECT 1 AS n UNION ALL SELECT n + 1 FROM r) SELECT * FROM r
"""


@pytest.mark.parametrize("statement", [line.strip() for line in HOSTILE.strip().splitlines()])
def test_nothing_but_a_select_over_what_is_offered_is_asked(lake, statement):
    file = lake.relation(USERS).files[0]
    text = statement.format(file=file.replace("'", "\\'"), root=lake.root.replace("'", "\\'"), base=BASE)
    before = Path(file).read_bytes()
    with pytest.raises(InputError, match=r"^query: .*(--engine spark|--tables and --logs show more|by their names)"):
        asked(lake, text)
    assert Path(file).read_bytes() == before


INSIDE = """
    SELECT * FROM read_csv('/etc/passwd')
    SELECT * FROM read_text('/etc/hosts')
    SELECT * FROM '{other}'
    SELECT * FROM read_parquet('{other}')
    SELECT * FROM read_parquet('{root}/*/*.parquet')
    SELECT * FROM glob('/*')
    SELECT * FROM offer
    SELECT * FROM text
    COPY (SELECT 1) TO '/tmp/stolen.csv'
    COPY (SELECT 1) TO '/dev/stdout'
    ATTACH '/tmp/stolen.db'
    INSTALL httpfs
    LOAD httpfs
    EXPORT DATABASE '/tmp/stolen'
    CREATE PERSISTENT SECRET (TYPE s3)
    SET enable_external_access = true
    SET allowed_directories = ['/']
    RESET lock_configuration
    SET lock_configuration = false
    SET python_enable_replacements = true
    SELECT getenv('HOME')
"""


@pytest.mark.parametrize("statement", [line.strip() for line in INSIDE.strip().splitlines()])
def test_the_database_itself_reaches_no_other_file_and_lets_no_setting_be_changed(lake, statement):
    """As if a statement had passed the check of questions."""
    offer, other = Offer(VIEWS), lake.relation(USERS).files[0]  # which no view reads
    database = offered_database(lake, offer)
    text = statement.format(other=other.replace("'", "''"), root=lake.root.replace("'", "''"))
    with pytest.raises(duckdb.Error):
        database.execute(text).fetchall()


def test_what_duckdb_cannot_answer_is_one_line_that_names_the_engine_which_may(lake):
    for question in ("SELECT nothing FROM segment_overview", "SELECT sum(scheme) FROM segment_overview"):
        with pytest.raises(InputError) as told:
            asked(lake, question)
        assert str(told.value).startswith("query: Binder Error: ") and "--engine spark" in str(told.value)
        assert "\n" not in str(told.value)


def test_a_wrong_folder_of_views_is_told(lake, tmp_path):
    with pytest.raises(ConfigError, match=r"there is no \.sql file"):
        ask(lake, Offer(MartsConfig(folder=str(tmp_path))), "SELECT 1", 5)


def test_the_statements_of_views_are_printed_without_spark(lake):
    statements = printed_views(lake, VIEWS, "duckdb")
    assert len([s for s in statements if s.startswith("CREATE")]) >= len(Offer(VIEWS).names)
    assert any("delta_scan(" in statement.lower() for statement in statements)
