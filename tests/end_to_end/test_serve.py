"""`segspark serve`: the views through HiveServer2's protocol, from a process that cannot reach the lake."""

import os
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass
from pathlib import Path

import pytest
import yaml
from deltalake import DeltaTable
from impala.dbapi import connect
from impala.error import Error
from pyhive import hive
from sqlalchemy import create_engine, inspect, text

from segspark.bi.config import MartsConfig
from segspark.bi.marts.catalogue import load_views
from segspark.bi.query.stage import Offer, register_views
from segspark.core.lake import Lake
from tests.cluster.standalone import free_port
from tests.unit.bi.marts.trading import USERS, write_shop

pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(shutil.which("bwrap") is None, reason="bubblewrap is not installed"),
]
REPO = Path(__file__).parents[2]
MARTS = MartsConfig(folder=str(REPO / "conf" / "bi"))
VIEWS = load_views(MARTS.folder)
QUESTIONS = sorted((REPO / "conf" / "bi" / "questions").glob("*.sql"))
SECONDS_TO_SWITCH = 240
MARKS = ("no,user", "1,u1", "part-", "root:")  # of the raw file, of data files, of the machine's accounts
PEOPLE = {f"u{n}" for n in range(USERS)}  # the ids of the shop's users


@dataclass(frozen=True)
class Endpoint:
    """A lake, its raw file, and the server over a copy of it."""

    lake: Lake
    raw: Path
    port: int

    def answer(self, sql: str) -> list[tuple[str, ...]]:
        """What impyla gets, as texts in any order."""
        with closing(connect("127.0.0.1", self.port, auth_mechanism="PLAIN", user="bi", password="bi")) as connection:
            cursor = connection.cursor()
            cursor.execute(sql)
            return told(cursor.fetchall())

    def spark_answer(self, sql: str) -> list[tuple[str, ...]]:
        """What Spark says over the lake itself."""
        register_views(self.lake, Offer(MARTS))
        return told(self.lake.spark.sql(sql).collect())


def told(rows) -> list[tuple[str, ...]]:
    """Rows that can be compared whatever a client makes of numbers and times."""
    return sorted(tuple(f"{float(cell):.9g}" if is_number(cell) else str(cell) for cell in row) for row in rows)


def is_number(cell) -> bool:
    return not isinstance(cell, bool | str) and hasattr(cell, "__float__")


@contextmanager
def started(config: Path) -> Iterator[None]:
    command = [sys.executable, "-u", "-m", "segspark.cli", "serve", "--config", str(config)]
    environment = {**os.environ, "PYTHONPATH": str(REPO)}
    process = subprocess.Popen(
        command, cwd=REPO, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, env=environment
    )
    lines = []
    try:
        for line in process.stdout:
            lines.append(line)
            if line.startswith("serving "):
                break
        else:
            raise AssertionError("".join(lines))
        yield
    finally:
        process.send_signal(signal.SIGTERM)
        print(process.communicate(timeout=60)[0])  # what a failed test shows


@pytest.fixture(scope="module")
def endpoint(spark, tmp_path_factory):
    folder, port = tmp_path_factory.mktemp("serve"), free_port()
    lake = Lake(spark, str(folder / "lake"))
    write_shop(lake)
    lake.publish("r-1", "me", "run", {}, {})
    raw = folder / "raw" / "orders.csv"
    raw.parent.mkdir()
    raw.write_text("no,user\n1,u1\n")
    columns = {"order_id": "no", "user_id": "user", "item_id": "no", "order_time": "no"}
    content = {
        "lake": lake.root,
        "sources": {"orders": {"path": str(raw), "columns": columns}},
        "serve": {"port": port, "refresh_seconds": 1, "driver_memory": "1g"},
        "spark": {"driver_memory": "1g"},
    }
    (folder / "serve.yaml").write_text(yaml.safe_dump(content))
    with started(folder / "serve.yaml"):
        yield Endpoint(lake, raw, port)


def test_a_client_finds_the_views_and_what_their_columns_mean(endpoint):
    url = f"impala://127.0.0.1:{endpoint.port}/default?auth_mechanism=PLAIN"
    assert sorted(inspect(create_engine(url)).get_table_names()) == sorted(view.name for view in VIEWS)
    described = {name: comment for name, _, comment in endpoint.answer("DESCRIBE segment_overview")}
    assert described == next(view.columns for view in VIEWS if view.name == "segment_overview")


@pytest.mark.parametrize("question", QUESTIONS, ids=lambda path: path.stem)
def test_a_question_has_the_same_answer_as_in_spark(endpoint, question):
    sql = question.read_text().strip().rstrip(";")
    assert endpoint.answer(sql) == endpoint.spark_answer(sql)


def test_sqlalchemy_and_pyhive_give_the_same_answer_too(endpoint):
    sql = "SELECT scheme, segment_name, users, revenue FROM segment_overview"
    expected = endpoint.spark_answer(sql)
    with create_engine(f"impala://127.0.0.1:{endpoint.port}/default?auth_mechanism=PLAIN").connect() as connection:
        assert told(connection.execute(text(sql)).fetchall()) == expected
    with closing(hive.connect("127.0.0.1", endpoint.port, username="bi")) as connection:
        cursor = connection.cursor()
        cursor.execute(sql)
        assert told(cursor.fetchall()) == expected
    assert len(expected) > 3


def attempts(endpoint) -> list[str]:
    """Ways in which SQL reaches files and programs."""
    lake, raw = endpoint.lake.root, endpoint.raw
    return [
        f"SELECT user_id FROM delta.`{lake}/user_features`",
        f"SELECT user_id FROM parquet.`{lake}/user_features`",
        f"SELECT * FROM text.`{lake}/users/_delta_log`",
        f"SELECT * FROM csv.`{raw}`",
        f"SELECT * FROM text.`{raw.parent}/*`",
        f"CREATE TABLE mine USING delta LOCATION '{lake}/orders'",
        f"CREATE TEMPORARY VIEW mine USING parquet OPTIONS (path '{lake}/orders')",
        f"SELECT TRANSFORM(1) USING 'cat {raw}' AS (row STRING)",
        f"SELECT TRANSFORM(1) USING 'find {lake} /proc/1/root{lake} -type f' AS (row STRING)",
        f"SELECT reflect('java.nio.file.Files', 'readString', '{raw}')",
        "SELECT java_method('java.lang.System', 'getenv')",
        "SELECT TRANSFORM(1) USING 'cat /etc/shadow' AS (row STRING)",
        f"ADD FILE {raw}",
        f"LOAD DATA LOCAL INPATH '{raw}' INTO TABLE dim_user",
    ]


def test_no_sql_reaches_a_raw_personal_column(endpoint):
    for sql in attempts(endpoint):
        try:
            found = endpoint.answer(sql)
        except (Error, IndexError):  # refused; impyla trips over a statement without a result
            continue
        leaked = [cell for row in found for cell in row if cell in PEOPLE or any(mark in cell for mark in MARKS)]
        assert not leaked, sql
    with pytest.raises(Error):
        endpoint.answer("SELECT * FROM mine")


def test_the_copy_itself_holds_no_id_of_a_user(endpoint):
    copies = [path.parent for path in Path(f"{endpoint.lake.root}_served").glob("*/*/_delta_log")]
    assert {path.name for path in copies} == {"publications", *(view.name for view in VIEWS)}
    for copy in copies:
        for row in DeltaTable(str(copy)).to_pyarrow_table().to_pylist():
            assert not {str(cell) for cell in row.values()} & PEOPLE, copy


def test_a_second_publication_shows_in_all_views_at_once(endpoint):
    sql = QUESTIONS[0].parent.joinpath("segments_by_revenue.sql").read_text().strip().rstrip(";")
    both = (
        "SELECT DISTINCT runs.run_id, health.run_id FROM published_runs AS runs JOIN run_health AS health"
        " ON runs.is_current AND health.is_current"
    )
    before = endpoint.answer(sql)
    endpoint.lake.publish("r-2", "me", "run", {}, {})
    after, end = endpoint.spark_answer(sql), time.monotonic() + SECONDS_TO_SWITCH
    assert before != after
    seen = []
    while not seen or seen[-1] != after:
        assert time.monotonic() < end, "the server never showed the second publication"
        seen.append(endpoint.answer(sql))
        ((of_runs, of_health),) = endpoint.answer(both)
        assert of_runs == of_health
    assert all(answer in (before, after) for answer in seen)


def test_who_drops_a_view_harms_no_file_and_it_comes_back(endpoint):
    with pytest.raises((Error, IndexError)):
        endpoint.answer("DROP VIEW dim_item")
    sql, end = "SELECT count(*) FROM dim_item", time.monotonic() + SECONDS_TO_SWITCH
    while True:
        try:
            assert endpoint.answer(sql) == endpoint.spark_answer(sql)
            return
        except Error:
            assert time.monotonic() < end
            time.sleep(1)
