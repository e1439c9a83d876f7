import duckdb
import pytest
import sqlglot
from deltalake import DeltaTable

from segspark.bi.config import MartsConfig
from segspark.bi.marts.views import view_statements
from segspark.bi.query.stage import Offer, register_views
from segspark.core.contracts import RUN_TABLES, RUNS, SEGMENTS, TABLES, USER_FEATURES, USER_SIMILARITY, USERS
from segspark.core.errors import ConfigError
from segspark.core.lake import Lake
from tests.builders import day, rows_of

VIEWS = MartsConfig()


def write_small_run(lake, run_id, money):
    spark = lake.spark
    named = {"scheme": "value", "segment_id": 0, "name": f"of {run_id}"}
    lake.replace_run(SEGMENTS, rows_of(spark, SEGMENTS, named), run_id)
    near = {"method": "cosine", "user_id": "a", "neighbours": [(f"near {run_id}", 0.9), ("far", 0.25)]}
    lake.replace_run(USER_SIMILARITY, rows_of(spark, USER_SIMILARITY, near), run_id)
    features = rows_of(spark, USER_FEATURES, {"user_id": "a", "as_of": day("2024-01-01"), "is_bot": False})
    lake.replace_run(USER_FEATURES, features.selectExpr("*", f"double({money}) AS monetary"), run_id)


@pytest.fixture(scope="module")
def shop(spark, tmp_path_factory):
    """A lake with two runs, the first published."""
    lake = Lake(spark, str(tmp_path_factory.mktemp("it's a shop")))
    write_small_run(lake, "r-1", 10)
    write_small_run(lake, "r-2", 20)
    lake.upsert(USERS, rows_of(spark, USERS, {"user_id": "a", "age": 20}))
    lake.append(RUNS, rows_of(spark, RUNS, {"run_id": "r-1", "stage": "run", "status": "done"}))
    lake.publish("r-1", "me", "run", {}, {})
    return lake


ALL_AT_ONCE = """
    SELECT s.run_id, s.name, f.monetary, n.rank, n.neighbour_id, n.similarity
    FROM segments s CROSS JOIN user_features f JOIN user_neighbours n ON n.user_id = f.user_id ORDER BY n.rank"""


def expected(run, money):
    rows = [(1, f"near {run}", 0.9), (2, "far", 0.25)]
    return [(run, f"of {run}", money, *row) for row in rows]


def in_duckdb(lake):
    """DuckDB with the printed views; Delta's reader for DuckDB is replaced by the one of delta-rs."""
    database = duckdb.connect()
    written = [name for name in TABLES if lake.exists(TABLES[name])]
    for statement in view_statements("duckdb", lake.root, tables=written):
        for name in written:
            scan = f"delta_scan('{lake.root}/{name}')".replace("it's", "it''s")
            statement = statement.replace(scan, f'"raw_{name}"')
        assert "delta_scan" not in statement
        for name in written:
            if f'"raw_{name}"' in statement:
                database.register(f"raw_{name}", DeltaTable(lake.path(name)).to_pyarrow_dataset())
        database.execute(statement)
    return database


def test_views_read_the_published_run_and_switch_all_together(shop):
    register_views(shop, Offer(VIEWS, tables=True))
    for number, (run, money, reason) in enumerate(
        (("r-1", 10.0, None), ("r-2", 20.0, "run"), ("r-1", 10.0, "rollback"))
    ):
        if reason:
            assert shop.publish(run, "me", reason, {}, {}) == number + 1
        assert [tuple(row) for row in shop.spark.sql(ALL_AT_ONCE).collect()] == expected(run, money)
        assert in_duckdb(shop).execute(ALL_AT_ONCE).fetchall() == expected(run, money)


def test_spark_statements_run_in_spark_with_comments(shop):
    written = [contract.name for contract in RUN_TABLES if shop.exists(contract)]
    statements = view_statements("spark", shop.root, tables=written)
    names = [*written, "user_neighbours"]
    for name in names:
        shop.spark.catalog.dropTempView(name)
    try:
        for statement in statements:
            shop.spark.sql(statement)
        run = shop.published_run()
        assert [row.run_id for row in shop.spark.table("segments").collect()] == [run]
        assert shop.spark.table("user_neighbours").count() == 2
        comments = {row.col_name: row.comment for row in shop.spark.sql("DESCRIBE segments").collect()}
        assert comments["name"] == "a persona whose predicate holds, else segment-N"
    finally:
        for name in names:
            shop.spark.sql(f"DROP VIEW IF EXISTS {name}")


def test_duckdb_shows_the_comments_of_views_and_columns(shop):
    database = in_duckdb(shop)
    told = dict(database.execute("SELECT view_name, comment FROM duckdb_views() WHERE NOT internal").fetchall())
    assert told["segments"] == "One row is one segment, of the published run."


def test_logs_come_whole_when_asked_for(shop):
    register_views(shop, Offer(VIEWS, tables=True, logs=True))
    assert [row.run_id for row in shop.spark.table("runs").collect()] == ["r-1"]
    assert [row.age for row in shop.spark.table("users").collect()] == [20]


def test_before_anything_is_published_views_are_empty(lake):
    write_small_run(lake, "r-1", 10)
    names = register_views(lake, Offer(VIEWS, tables=True))
    assert all(lake.spark.table(name).isEmpty() for name in ("dim_user", "segment_trend", "published_runs"))
    assert {"dim_user", "segments"} <= set(names)
    assert lake.spark.table("segments").isEmpty() and lake.spark.table("user_neighbours").isEmpty()


def test_trino_statements_name_catalog_and_schema_and_every_run_table():
    statements = view_statements("trino", "delta.shop")
    parsed = [sqlglot.parse_one(statement, dialect="trino") for statement in statements]
    assert len(parsed) == len(RUN_TABLES) + 2  # the schema of the views, and user_neighbours
    tables = {table.sql("trino") for tree in parsed[1:] for table in tree.expression.find_all(sqlglot.exp.Table)}
    assert {'"delta"."shop"."segments"', '"delta"."shop"."publications"'} <= tables
    assert statements[1].startswith('CREATE OR REPLACE VIEW "delta"."shop_bi".')


@pytest.mark.parametrize(
    ("dialect", "root", "told"),
    [
        ("trino", "./lake", "register the folders"),
        ("duckdb", "main.shop", "give the folder or URL"),
        ("oracle", "./lake", "use spark, duckdb or trino"),
    ],
)
def test_a_dialect_that_cannot_read_the_lake_is_refused_with_what_to_do(dialect, root, told):
    with pytest.raises(ConfigError, match=told):
        view_statements(dialect, root)
