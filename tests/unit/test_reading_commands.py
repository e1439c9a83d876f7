"""The commands that only read a lake in a folder: no Java runtime, nothing imported that they do not need."""

import csv
import json
import os
import subprocess
import sys
from datetime import date, datetime, timezone

import pyarrow.parquet as pq
import pytest
import yaml

from segspark.core.contracts import (
    CAMPAIGN_PLAN,
    CAMPAIGNS,
    PUBLICATIONS,
    RECOMMENDATIONS,
    RUNS,
    SEGMENT_FACTS,
    SEGMENTS,
    USER_FEATURES,
    USER_SEGMENTS,
    USERS,
)
from tests.lakes import add_rows

NOW = datetime(2024, 3, 1, 12, tzinfo=timezone.utc)
NEVER = {"pyspark", "py4j", "delta", "pandas", "pyarrow", "sklearn", "scipy", "statsmodels", "jinja2"}
TABLES_IN_THE_TERMINAL = ("status", "query", "user")  # who shows none does not wait for rich either
IMPORTED = """
import json, sys
from segspark.cli import main_group
main_group.main(sys.argv[1:], prog_name="segspark", standalone_mode=False)
print(json.dumps(sorted({name.partition(".")[0] for name in sys.modules})))
"""


@pytest.fixture(scope="module")
def config(tmp_path_factory):
    """The path of a configuration whose lake has a published run."""
    folder = tmp_path_factory.mktemp("shop")
    lake = folder / "lake"
    stage = {"run_id": "r-1", "status": "done", "started_at": NOW, "heartbeat_at": NOW, "seconds": 1.5, "rows": 7}
    add_rows(lake, RUNS, [{**stage, "stage": name, "as_of": date(2024, 3, 1)} for name in ("segments", "run")])
    add_rows(lake, PUBLICATIONS, [{"seq": 1, "run_id": "r-1", "published_at": NOW, "by": "me", "reason": "run"}])
    segment = {"scheme": "value", "segment_id": 0}
    add_rows(lake, SEGMENTS, [{**segment, "name": "loyal", "why": "they order", "size": 12}], "r-1")
    add_rows(lake, SEGMENT_FACTS, [{**segment, "users": 12, "buyers": 12, "orders": 24, "revenue": 48.0}], "r-1")
    users = [f"u{number}" for number in range(12)]
    membership = {**segment, "segment_name": "loyal", "distance": 0.5, "confidence": 0.75}
    add_rows(lake, USER_SEGMENTS, [{**membership, "user_id": user} for user in users], "r-1")
    add_rows(lake, USER_FEATURES, [{"user_id": "u0", "as_of": date(2024, 3, 1), "is_bot": False}], "r-1")
    add_rows(
        lake, RECOMMENDATIONS, [{"method": "als", "user_id": "u0", "rank": 1, "item_id": "i1", "score": 0.5}], "r-1"
    )
    add_rows(lake, CAMPAIGNS, [{"campaign_id": "march"}], "r-1")
    contact = {"campaign_id": "march", "holdout": False, "send_on": date(2024, 3, 2), "items": ["i1", "i2"]}
    add_rows(lake, CAMPAIGN_PLAN, [{**contact, "user_id": user} for user in users], "r-1")
    add_rows(lake, USERS, [{"user_id": user, "consent": user != "u3"} for user in users])
    (lake / "reports").mkdir()
    (lake / "reports" / "r-1.html").write_text("<html>")
    orders = {"path": "orders.csv", "format": "csv", "columns": {"order_id": "o", "item_id": "i", "order_time": "t"}}
    orders["columns"] |= {"user_id": "u", "quantity": "1", "unit_price": "p"}
    path = folder / "shop.yaml"
    path.write_text(yaml.safe_dump({"lake": str(lake), "sources": {"orders": orders}}))
    return str(path)


def run(*arguments, script=None):
    """The command in a process of its own, where no Java can be found."""
    environment = {**os.environ, "JAVA_HOME": "/nowhere", "COLUMNS": "160", "PYTHONPATH": os.pathsep.join(sys.path)}
    program = ["-m", "segspark.cli"] if script is None else ["-c", script]
    command = [sys.executable, *program, *arguments]
    return subprocess.run(command, capture_output=True, text=True, env=environment, timeout=120)


COMMANDS = {
    "status": (("status",), "published: r-1, data before 2024-03-01"),
    "query": (("query", "SELECT segment_name, users, revenue FROM segment_overview"), "loyal"),
    "views": (("views", "--dialect", "duckdb"), "COMMENT ON VIEW"),
    "user": (("user", "u0"), "they order"),
    "report": (("report",), "r-1.html"),
    "export": (("export", "--segment", "loyal", "--to", "{folder}/loyal.csv"), "12 users of loyal in"),
    "doctor": (("doctor", "--quick"), "r-1 is published"),
}


@pytest.mark.parametrize("name", COMMANDS)
def test_who_reads_waits_for_no_library_that_is_not_needed(config, tmp_path, name):
    arguments, told = COMMANDS[name]
    done = run(*(each.format(folder=tmp_path) for each in arguments), "--config", config, script=IMPORTED)
    *shown, imported = done.stdout.splitlines()
    if name != "doctor":  # which finds that Java is missing
        assert done.returncode == 0, done.stderr
        assert told in "\n".join(shown)
        never = NEVER if name in TABLES_IN_THE_TERMINAL else {*NEVER, "rich", "numpy"}
        assert not never & set(json.loads(imported))


def test_the_quick_look_of_doctor_reads_the_lake_and_starts_no_java(config):
    done = run("doctor", "--quick", "--config", config)
    assert done.returncode == 2 and "FAIL Java" in done.stdout
    assert "ok   lake: 10 tables in" in done.stdout and "r-1 is published" in done.stdout
    assert "Spark and Delta" not in done.stdout


def test_the_codes_of_commands_are_those_of_the_process(config, tmp_path):
    assert run("status", "--config", config).returncode == 0
    assert run("report", "--config", config).returncode == 0
    for arguments in (
        ("query", "SELECT * FROM users"),
        ("query", "SELECT nothing FROM segment_overview"),
        ("query", "SELECT mode(users) FROM segment_overview"),
        ("query",),
        ("query", "SHOW TABLES"),
        ("query", "SELECT * FROM segment_overview a, segment_overview a"),
        ("user", "nobody"),
        ("export", "--segment", "disloyal", "--to", str(tmp_path / "x")),
        ("status", "--set", "lake=main.shop", "--engine", "duckdb"),
    ):
        done = run(*arguments, "--config", config)
        assert done.returncode == 2, (arguments, done.stderr)
        assert done.stderr.startswith("segspark: ") and done.stderr.count("\n") == 1
    assert run("nonsense").returncode == 2


def test_all_commands_are_listed(config):
    done = run("--help")
    assert done.returncode == 0
    for name in ("run", "status", "query", "user", "export", "doctor", "rollback", "shop"):
        assert f"\n  {name} " in done.stdout


def test_contacts_are_exported_to_whom_consents_and_never_over_a_file(config, tmp_path):
    path = tmp_path / "march.csv"
    done = run("export", "--campaign", "march", "--to", str(path), "--config", config)
    assert done.returncode == 0 and "11 contacts of march" in done.stdout
    with path.open(newline="", encoding="utf-8") as file:
        rows = list(csv.DictReader(file))
    assert [row["user_id"] for row in rows] == sorted(f"u{number}" for number in range(12) if number != 3)
    assert {row["items"] for row in rows} == {"i1 i2"}
    again = run("export", "--campaign", "march", "--to", str(path), "--config", config)
    assert again.returncode == 2 and "is there already" in again.stderr
    folder = tmp_path / "march"
    done = run("export", "--campaign", "march", "--format", "parquet", "--to", str(folder), "--config", config)
    assert done.returncode == 0
    assert pq.read_table(folder).column("items").to_pylist() == [["i1", "i2"]] * 11


def test_a_lake_where_nothing_was_published_yet_is_told(tmp_path):
    orders = {"path": "orders.csv", "format": "csv", "columns": {"order_id": "o", "item_id": "i", "order_time": "t"}}
    path = tmp_path / "shop.yaml"
    path.write_text(yaml.safe_dump({"lake": str(tmp_path / "lake"), "sources": {"orders": orders}}))
    assert "published: nothing yet" in run("status", "--config", str(path)).stdout
    for arguments in (("user", "u0"), ("report",), ("export", "--segment", "loyal", "--to", str(tmp_path / "x"))):
        done = run(*arguments, "--config", str(path))
        assert done.returncode == 2 and "nothing was published yet" in done.stderr
    assert not (tmp_path / "lake").exists()
