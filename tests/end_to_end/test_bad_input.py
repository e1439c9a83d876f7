"""What a user gets wrong ends with exit code 2 and one line that names the key and what to do."""

from pathlib import Path

import pytest
import yaml

from segspark.cli import main

CONF = Path(__file__).parents[2] / "conf"
PERSONAS, STRATEGIES = str(CONF / "personas.yaml"), str(CONF / "strategies.yaml")
COLUMNS = {
    "order_id": "id",
    "user_id": "user",
    "item_id": "item",
    "order_time": "to_timestamp(time)",
    "quantity": "units",
    "unit_price": "price",
}
HEADER = "id,user,item,time,units,price"


def orders(users, lines_each=3, same=False):
    """Order lines of some users; `same` makes all users alike."""
    rows = []
    for user in range(users):
        for line in range(lines_each):
            number = 0 if same else user
            day = 1 + (line + number) % 27
            price = 5 if same else 5 + number % 7
            rows.append(f"o{user}-{line},u{user},i{line},2024-03-{day:02d} 10:00:00,{1 + number % 3},{price}")
    return "\n".join([HEADER, *rows]) + "\n"


@pytest.fixture
def run(spark, tmp_path, capsys):
    """Runs `segspark run` in this process on a csv of orders; returns the exit code and what stood on stderr."""

    def run(text, *options, columns=COLUMNS, path=None):
        file = tmp_path / "orders.csv"
        file.write_text(text)
        source = {"path": path or str(file), "format": "csv", "options": {"header": True}, "columns": columns}
        content = {
            "lake": str(tmp_path / "lake"),
            "sources": {"orders": source},
            "segments": {"personas": PERSONAS},
            "campaigns": {"strategies": STRATEGIES},
            "spark": {"shuffle_partitions": 2},
        }
        config = tmp_path / "shop.yaml"
        config.write_text(yaml.safe_dump(content))
        with pytest.raises(SystemExit) as ended:
            main(["run", "--config", str(config), *options])
        return ended.value.code, capsys.readouterr().err

    return run


def told(answer, *words):
    code, text = answer
    assert code == 2, text
    lines = [line for line in text.splitlines() if line.startswith("segspark:")]
    assert len(lines) == 1 and "Traceback" not in text, text
    assert all(word in lines[0] for word in words), lines[0]


def test_an_unknown_key(run):
    told(run(orders(30), "--set", "segments.value.kk=3"), "segments.value.kk", "unknown key")


def test_a_wrong_type(run):
    told(run(orders(30), "--set", "recommend.rank=many"), "recommend.rank", "'many'")


def test_a_missing_file(run):
    told(run(orders(30), path="nowhere/*.csv"), "sources.orders", "nowhere/*.csv")


def test_a_column_that_is_not_there(run):
    told(run(orders(30), columns={**COLUMNS, "item_id": "sku"}), "sources.orders", "sku", "price")


def test_an_expression_with_a_sub_query(run):
    wrong = {**COLUMNS, "status": "(SELECT max(x) FROM other)"}
    told(run(orders(30), columns=wrong), "sources.orders.columns.status")


def test_an_expression_that_reaches_java(run):
    wrong = {**COLUMNS, "status": "reflect('java.lang.System', 'getProperty', 'user.name')"}
    told(run(orders(30), columns=wrong), "sources.orders.columns.status", "reflect")


@pytest.mark.slow
def test_more_segments_than_users(run):
    told(run(orders(12), "--set", "segments.value.k=50"), "segments.value.k", "50")


def test_a_file_without_rows(run):
    told(run(HEADER + "\n"), "sources")


@pytest.mark.slow
def test_one_user_only(run):
    told(run(orders(1)), "user")


@pytest.mark.slow
def test_all_features_constant(run):
    told(run(orders(40, same=True)), "constant")


@pytest.mark.slow
def test_a_day_before_all_rows(run):
    told(run(orders(30), "--as-of", "2020-01-01"), "as_of")


def test_a_configuration_that_is_not_there(capsys):
    with pytest.raises(SystemExit) as ended:
        main(["run", "--config", "nowhere.yaml"])
    told((ended.value.code, capsys.readouterr().err), "nowhere.yaml", "no such file")


def test_a_command_that_is_not_there(capsys):
    with pytest.raises(SystemExit) as ended:
        main(["rn"])
    told((ended.value.code, capsys.readouterr().err), "rn")
