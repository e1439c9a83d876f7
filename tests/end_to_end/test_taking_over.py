"""A second run: what is not computed again, that its rows are those that computing gives, and what a day more costs."""

import gzip
import json
import shutil
from dataclasses import dataclass
from datetime import date, timedelta

import pytest

from segspark.config import Config
from segspark.core.contracts import PUBLICATIONS, RUN_TABLES
from segspark.core.lake import Lake
from segspark.core.ledger import newest_status
from segspark.pipeline import RunRequest, run_pipeline
from segspark.stages import STAGES
from tests.end_to_end.executions import BUDGETS_OF_A_DAY_MORE, Executions

pytestmark = pytest.mark.slow
# With another title of the report and nothing else: what neither looks back nor goes by what does.
TAKEN_OVER = {"factors", "similarity", "recommendations", "evaluate"}
COMPARING = {  # with the run that was published, which is another one in the second run: these differ by intent
    *("segment_lineage", "segment_changes", "segment_moves", "feature_drift", "user_segments", "quality"),
}


@dataclass(frozen=True)
class Second:
    """A second run on a copy of the first run's lake."""

    lake: Lake
    first: str
    run_id: str
    told: list[str]

    def act(self, run_id):
        return max((act for act in self.lake.rows(PUBLICATIONS) if act.run_id == run_id), key=lambda act: act.seq)

    def statuses(self):
        return {row.stage: row.status for row in newest_status(self.lake) if row.run_id == self.run_id}

    def same_tables(self):
        """The tables whose rows are those of the first run, as the publications tell."""
        then, now = self.act(self.first), self.act(self.run_id)
        return {name for name in now["digests"] if now["digests"][name] == then["digests"][name]}


@pytest.fixture(scope="module")
def again(first_run, spark, tmp_path_factory):
    """Runs once more on a copy of the first run's lake, with other settings."""

    def run(*settings, **request):
        folder = tmp_path_factory.mktemp("again") / "lake"
        shutil.copytree(first_run.lake.root, folder)
        content = first_run.config.model_dump() | {"lake": str(folder)}
        for key, value in settings:
            place = content
            *parents, last = key.split(".")
            for parent in parents:
                place = place[parent]
            place[last] = value
        told = []
        lake = Lake(spark, str(folder))
        outcome = run_pipeline(lake, Config.model_validate(content), RunRequest(**request), told.append)
        return Second(lake, first_run.run.run_id, outcome.run.run_id, told)

    return run


@pytest.fixture(scope="module")
def retitled(again):
    return again(("report.title", "Another"))


def test_another_title_of_the_report_fits_no_factors(retitled):
    statuses = retitled.statuses()
    assert {stage for stage in STAGES if statuses[stage] == "taken over"} == TAKEN_OVER
    assert any("user_features: taken over from run" in line for line in retitled.told)
    assert retitled.lake.published_run() == retitled.run_id != retitled.first


def test_what_was_taken_over_stands_under_the_new_run(retitled):
    same = retitled.same_tables()
    written = {table.name for name in TAKEN_OVER for part in STAGES[name].parts for table in part.writes}
    assert same >= written | {"user_features", "user_facts", "item_facts"}
    for contract in RUN_TABLES:
        if contract.name in written:
            assert retitled.run_id in retitled.lake.runs_in(contract), contract.name


def test_taking_over_gives_what_computing_gives(again, retitled):
    forced = again(("report.title", "Another"), force=True)
    assert "taken over" not in forced.statuses().values()
    now, then = retitled.act(retitled.run_id), forced.act(forced.run_id)
    assert now["rows"] == then["rows"]
    assert {name for name in now["digests"] if now["digests"][name] != then["digests"][name]} == set()


def test_two_stages_at_a_time_give_what_one_gives(again, retitled):
    pair = again(("report.title", "Another"), ("spark.stages_at_once", 2), force=True)
    now, then = pair.act(pair.run_id), retitled.act(retitled.run_id)
    assert now["digests"] == then["digests"]
    lines = [line.split("]")[0] for line in pair.told if line.startswith("[")]
    assert lines == sorted(lines, key=lambda line: int(line[1:].split("/")[0])) and len(lines) == len(STAGES)


def add_a_day(shop, folder):
    """Files of the day after the shop's, on which is done what was done a week before; the paths by source."""
    day = date.fromisoformat(json.loads((shop / "truth" / "shop.json").read_text())["ends_on"]) + timedelta(days=1)
    week_before = str(day - timedelta(days=7))
    added = {}
    for source, pattern, key in (("events", "*.json.gz", '"id":"'), ("orders", "*.csv", "")):
        unpack = gzip.open if pattern.endswith("gz") else open
        lines = [line for file in sorted((shop / source).glob(pattern)) for line in unpack(file, "rt")]
        new = [line.replace(week_before, str(day)).replace(key, f"{key}n-", 1) for line in lines if week_before in line]
        assert len(new) > 9, source
        added[source] = folder / pattern.replace("*", source)
        with unpack(added[source], "wt") as file:
            file.writelines([lines[0], *new] if source == "orders" else new)
    return added


def test_a_day_more_keeps_its_budget_of_executions(again, shop, spark, tmp_path, capsys):
    added = add_a_day(shop, tmp_path)
    paths = [(f"sources.{source}.path", [f"{shop}/{source}/*", str(file)]) for source, file in added.items()]
    with Executions(spark) as counted:
        run = again(*paths)
    assert run.lake.published_run() == run.run_id
    told = "  ".join(f"{stage} {count}" for stage, count in counted.by_stage.items())
    with capsys.disabled():
        print(f"\nexecutions of a run with a day more: {told}; together {sum(counted.by_stage.values())}")
    beyond = {
        stage: (count, BUDGETS_OF_A_DAY_MORE.get(stage, 0))
        for stage, count in counted.by_stage.items()
        if count > BUDGETS_OF_A_DAY_MORE.get(stage, 0)
    }
    assert not beyond, beyond
    assert sum(BUDGETS_OF_A_DAY_MORE.values()) <= 200
