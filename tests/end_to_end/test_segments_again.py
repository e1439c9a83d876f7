"""Segments against the published run, through the command: nothing changed, something drifted, vanished or broke."""

import io
import random
import shutil
from contextlib import redirect_stderr, redirect_stdout
from dataclasses import dataclass
from pathlib import Path

import pytest
import yaml
from pyspark.sql import functions as F

from segspark.cli import main
from segspark.core.contracts import (
    FEATURE_DRIFT,
    FEATURE_SELECTION,
    PREPARED_FEATURES,
    PUBLICATIONS,
    SEGMENT_CHANGES,
    SEGMENTS,
    USER_SEGMENTS,
)
from segspark.core.lake import Lake

pytestmark = pytest.mark.slow
CONF = Path(__file__).parents[2] / "conf"
PERSONAS, STRATEGIES = str(CONF / "personas.yaml"), str(CONF / "strategies.yaml")
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


def users(age):
    """An export of all users; a {} in `age` is a number of theirs."""
    return "user,age\n" + "".join(f"u{user},{age.format(20 + user % 40)}\n" for user in range(USERS))


@dataclass
class Shop:
    """A folder of exports, and the command on a lake."""

    exports: Path
    lake: Lake

    def copy(self, folder):
        """The same exports and another lake of the same content."""
        shutil.copytree(self.lake.root, folder)
        return Shop(self.exports, Lake(self.lake.spark, str(folder)))

    def add(self, name, text):
        (self.exports / name).write_text(text)

    def run(self, as_of, *options):
        """The exit code, and what was printed on both streams."""
        options_of = {"format": "csv", "options": {"header": True}}
        people = {"user_id": "user", "age": "cast(age AS int)"}
        sources = {"orders": {"path": f"{self.exports}/orders*.csv", "columns": ORDERS, **options_of}}
        sources["users"] = {"path": f"{self.exports}/users*.csv", "columns": people, **options_of}
        content = {"lake": self.lake.root, "sources": sources, "spark": {"shuffle_partitions": 2}}
        content["campaigns"] = {"strategies": STRATEGIES}
        content["segments"] = {"personas": PERSONAS, "value": {"k_range": [2, 3]}, "taste": {"k": 2}}
        content["recommend"] = {"rank": 4, "iterations": 2}
        path = self.exports / "shop.yaml"
        path.write_text(yaml.safe_dump(content))
        shown = io.StringIO()
        with redirect_stdout(shown), redirect_stderr(shown), pytest.raises(SystemExit) as ended:
            main(["run", "--config", str(path), "--as-of", as_of, *options])
        return ended.value.code or 0, shown.getvalue()

    def published(self):
        return [row.run_id for row in self.lake.read(PUBLICATIONS).orderBy("seq").collect()]

    def drifted(self):
        rows = self.lake.read_run(FEATURE_DRIFT, self.published()[-1]).where("drifted").collect()
        return {row.feature for row in rows}

    def moved(self):
        return (
            self.lake.read_run(SEGMENT_CHANGES, self.published()[-1]).where("cause IN ('behaviour', 'refit')").count()
        )

    def in_segments(self):
        """Every row of the tables of segments, of all runs."""
        return [sorted(map(str, self.lake.read(table).collect())) for table in (SEGMENTS, USER_SEGMENTS)]

    def break_one(self, run_id, value):
        """Puts a number that is none into the first place of one user's vector."""
        broken = f"transform(features, (value, place) -> if(place = 0, float('{value}'), value))"
        where = f"run_id = '{run_id}' AND user_id = 'u7'"
        table = self.lake.identifier(PREPARED_FEATURES.name)
        self.lake.spark.sql(f"UPDATE {table} SET features = {broken} WHERE {where}")


@pytest.fixture(scope="module")
def published(spark, tmp_path_factory):
    """Two months, published."""
    folder = tmp_path_factory.mktemp("again")
    shop = Shop(folder, Lake(spark, str(folder / "lake")))
    shop.add("orders-1.csv", orders(1))
    shop.add("orders-2.csv", orders(2))
    shop.add("users.csv", users("{}"))
    code, told = shop.run("2024-03-01")
    assert (code, len(shop.published())) == (0, 1), told
    return shop


@pytest.fixture(scope="module")
def prepared(published, tmp_path_factory):
    """A day later, up to what segments are made of; and the run's id."""
    shop = published.copy(tmp_path_factory.mktemp("prepared") / "lake")
    stages = ("ingest", "features", "factors", "similarity")
    code, told = shop.run("2024-03-02", *(option for stage in stages for option in ("--only", stage)))
    assert code == 0, told
    (run_id,) = {row.run_id for row in shop.lake.read(PREPARED_FEATURES).collect()} - set(shop.published())
    return shop, run_id


@pytest.fixture
def shop(published, tmp_path):
    """The published shop; what a test adds to its exports is gone after it."""
    exports = set(published.exports.glob("*.csv"))
    yield published.copy(tmp_path / "lake")
    for path in set(published.exports.glob("*.csv")) - exports:
        path.unlink()


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


def test_a_feature_that_nobody_has_any_more_is_told_and_models_do_without_it(shop):
    (before,) = shop.published()
    shop.add("users-2.csv", users(""))
    code, told = shop.run("2024-03-02")
    assert (code, len(shop.published())) == (0, 2), told
    assert f"fitted anew: age vanished since run {before}: nobody has it any more, and models do without it" in told
    run_id = shop.published()[-1]
    selected = {row.feature: row.kept for row in shop.lake.read_run(FEATURE_SELECTION, run_id).collect()}
    assert not selected["age"] and selected["frequency"]
    assert shop.lake.read_run(USER_SEGMENTS, run_id).where("scheme = 'value'").count() == USERS


@pytest.mark.parametrize("value", ["NaN", "Infinity"])
def test_a_number_that_is_none_stops_the_run_in_one_line_and_nothing_is_published(prepared, tmp_path, value):
    prepared_shop, run_id = prepared
    shop = prepared_shop.copy(tmp_path / "lake")
    shop.break_one(run_id, value)
    before = shop.published(), shop.in_segments()
    code, told = shop.run("2024-03-02", "--resume")
    assert code == 2, told
    first = shop.lake.read_run(FEATURE_SELECTION, run_id).where("place = 0").first().feature
    (line,) = (line for line in told.splitlines() if line.startswith("segspark:"))
    assert line == (
        f"segspark: prepared_features: 1 of {USERS} users have a number that is missing, NaN or infinite in {first};"
        " make the table again by `segspark run --only features`, then go on by `segspark run --resume`"
    )
    assert "u7" not in told
    assert (shop.published(), shop.in_segments()) == before


def test_the_stage_that_the_line_names_mends_the_table(prepared, tmp_path):
    prepared_shop, run_id = prepared
    shop = prepared_shop.copy(tmp_path / "lake")
    of_run = F.col("run_id") == run_id
    whole = sorted(map(str, shop.lake.read(PREPARED_FEATURES).where(of_run).collect()))
    shop.break_one(run_id, "NaN")
    assert sorted(map(str, shop.lake.read(PREPARED_FEATURES).where(of_run).collect())) != whole
    code, told = shop.run("2024-03-02", "--only", "features")
    assert code == 0, told
    assert sorted(map(str, shop.lake.read(PREPARED_FEATURES).where(of_run).collect())) == whole
