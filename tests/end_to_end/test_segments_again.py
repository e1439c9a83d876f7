"""Segments against the published run, through the command: nothing changed, or something drifted."""

import random
from dataclasses import dataclass
from pathlib import Path

import pytest
import yaml

from segspark.cli import main
from segspark.core.contracts import FEATURE_DRIFT, PUBLICATIONS, SEGMENT_CHANGES
from segspark.core.lake import Lake

pytestmark = pytest.mark.slow
PERSONAS = str(Path(__file__).parents[2] / "conf" / "personas.yaml")
ORDERS = {
    "order_id": "id",
    "user_id": "user",
    "item_id": "item",
    "order_time": "to_timestamp(time)",
    "quantity": "1",
    "unit_price": "price",
}
USERS = 300
KEEN = USERS // 3  # who buy often and cheaply; the others seldom and dearly


def orders(month, price_times=1.0):
    """Order lines of one month of 2024; the same for every call."""
    draw = random.Random(month)
    rows = []
    for user in range(USERS):
        for order in range(draw.randint(6, 9) if user < KEEN else draw.randint(1, 2)):
            price = round(price_times * (draw.uniform(4, 9) if user < KEEN else draw.uniform(40, 90)), 2)
            day = f"2024-{month:02d}-{draw.randint(1, 28):02d} 10:00:00"
            rows.append(f"o{month}-{user}-{order},u{user},i{draw.randint(0, 30)},{day},{price}")
    return "\n".join(["id,user,item,time,price", *rows]) + "\n"


@dataclass
class Shop:
    """A folder of exports, and the command on it."""

    folder: Path
    lake: Lake
    capsys: object

    def add(self, name, text):
        (self.folder / "in").mkdir(exist_ok=True)
        (self.folder / "in" / name).write_text(text)

    def run(self, as_of, *options, age="age"):
        """The exit code, and what was printed on both streams."""
        inputs = self.folder / "in"
        options_of = {"format": "csv", "options": {"header": True}}
        people = {"user_id": "user", "age": f"cast({age} AS int)"}
        sources = {"orders": {"path": f"{inputs}/orders*.csv", "columns": ORDERS, **options_of}}
        sources["users"] = {"path": f"{inputs}/users*.csv", "columns": people, **options_of}
        content = {"lake": self.lake.root, "sources": sources, "spark": {"shuffle_partitions": 2}}
        content["segments"] = {"personas": PERSONAS, "value": {"k_range": [2, 3]}, "taste": {"k": 2}}
        content["recommend"] = {"rank": 4, "iterations": 2}
        path = self.folder / "shop.yaml"
        path.write_text(yaml.safe_dump(content))
        code = 0
        try:
            main(["run", "--config", str(path), "--as-of", as_of, *options])
        except SystemExit as ended:
            code = ended.code or 0
        shown = self.capsys.readouterr()
        return code, shown.out + shown.err

    def published(self):
        return [row.run_id for row in self.lake.read(PUBLICATIONS).orderBy("seq").collect()]

    def drifted(self):
        rows = self.lake.read_run(FEATURE_DRIFT, self.published()[-1]).where("drifted").collect()
        return {row.feature for row in rows}

    def moved(self):
        return (
            self.lake.read_run(SEGMENT_CHANGES, self.published()[-1]).where("cause IN ('behaviour', 'refit')").count()
        )


@pytest.fixture
def shop(spark, tmp_path, capsys):
    """Two months, published."""
    shop = Shop(tmp_path, Lake(spark, str(tmp_path / "lake")), capsys)
    shop.add("orders-1.csv", orders(1))
    shop.add("orders-2.csv", orders(2))
    shop.add("users.csv", "user,age\n" + "".join(f"u{user},{20 + user % 40}\n" for user in range(USERS)))
    code, told = shop.run("2024-03-01")
    assert (code, len(shop.published())) == (0, 1), told
    return shop


def test_unchanged_data_shows_no_drift_and_moves_nobody(shop):
    code, told = shop.run("2024-03-01", "--force")
    assert (code, len(shop.published())) == (0, 2), told
    assert shop.drifted() == set()
    assert shop.moved() == 0


def test_injected_drift_is_told_and_leads_to_a_refit(shop):
    shop.add("orders-3.csv", orders(3, price_times=6.0))
    code, told = shop.run("2024-04-01")
    assert (code, len(shop.published())) == (0, 2), told
    assert {"monetary", "aov"} & shop.drifted()
    assert "drifted" in told and "fitted anew" in told
