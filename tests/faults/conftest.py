"""A small shop, its first run published, and its second run undisturbed: what every fault is held against."""

import os
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path

import pyarrow.dataset as ds
import pytest
import yaml
from deltalake import DeltaTable

from segspark.core.contracts import RUN_TABLES, TABLES
from segspark.pipeline import STAGE_NAMES
from segspark.shop.config import ShopConfig
from segspark.shop.generate import write_shop
from tests.cluster.standalone import REPO, Cluster, make_package, standalone
from tests.faults.account import Account

SECONDS_TO_RUN = 1200
DATED = ("events", "orders", "ratings")
FAST = {
    "spark.driver.extraJavaOptions": "-XX:TieredStopAtLevel=1",
    "spark.sql.sources.parallelPartitionDiscovery.parallelism": "4",
}


@dataclass
class Attempt:
    """One `segspark run` in a process group of its own: the driver's Python and its JVM."""

    process: subprocess.Popen
    started: float
    lines: list[str] = field(default_factory=list)

    def until(self, is_enough: Callable[[str], bool]) -> bool:
        """Reads lines until one is enough; False where the process ends before."""
        for line in self.process.stdout:
            self.lines.append(line.rstrip())
            if is_enough(line):
                return True
        self.process.wait()
        return False

    def kill(self) -> None:
        """Ends driver and JVM at once, as a power cut would."""
        os.killpg(self.process.pid, signal.SIGKILL)
        self.process.wait()
        self.process.stdout.close()


@dataclass(frozen=True)
class Shop:
    """A folder with the shop's files, and lakes over them."""

    folder: Path

    def configuration(self, lake: Path) -> Path:
        """The demo's configuration over this shop, made small, with that lake."""
        demo = yaml.safe_load((REPO / "conf" / "demo.yaml").read_text())
        sources = yaml.safe_load(yaml.safe_dump(demo["sources"]).replace("demo/shop", str(self.folder / "files")))
        small = {"value": {"k_range": [4, 5]}, "taste": {"k_range": [2, 3]}}
        content = {**demo, "lake": str(lake), "sources": sources, "segments": {**demo.get("segments", {}), **small}}
        content["segments"]["personas"] = str(REPO / "conf" / "personas.yaml")
        content["campaigns"] = {"strategies": str(REPO / "conf" / "strategies.yaml")}
        content["recommend"] = {"rank": 4, "iterations": 2, "evaluation": {"test_days": 7}}
        logs = lake.parent / "event-logs"
        logs.mkdir(exist_ok=True)
        conf = {**FAST, "spark.eventLog.enabled": "true", "spark.eventLog.dir": logs.as_uri()}
        one_by_one = {"driver_memory": "1g", "shuffle_partitions": 2, "stages_at_once": 1, "conf": conf}
        content["spark"] = {**demo.get("spark", {}), **one_by_one}
        path = lake.parent / f"{lake.name}.yaml"
        path.write_text(yaml.safe_dump(content))
        return path

    def start(self, lake: Path, *options: str) -> Attempt:
        """Begins a run; its output is read line by line."""
        command = [sys.executable, "-u", "-m", "segspark.cli", "run", "--config", str(self.configuration(lake))]
        process = subprocess.Popen(
            [*command, *options],
            cwd=REPO,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            start_new_session=True,
            env={**os.environ, "PYTHONPATH": str(REPO)},
        )
        return Attempt(process, time.monotonic())

    def finish(self, lake: Path, *options: str) -> Attempt:
        """A run to its end. Fails where it does not end well."""
        attempt = self.start(lake, *options)
        attempt.until(lambda line: False)
        assert attempt.process.returncode == 0, "\n".join(attempt.lines[-30:])
        return attempt


@dataclass(frozen=True)
class Before:
    """A lake whose first run is published and whose second has new files waiting."""

    shop: Shop
    lake: Path  # to be copied, never written
    undisturbed: Path  # the same lake after an undisturbed second run
    timeline: dict[str, tuple[float, float]]  # stage of that run: seconds from the start to its begin and to its end
    output: list[str]  # what that run told

    def copy(self, folder: Path) -> Path:
        """The lake as it was before the second run, in a folder of its own."""
        return Path(shutil.copytree(self.lake, folder / "lake"))


def acts(lake: Path) -> list[dict]:
    """Every act of publishing, oldest first, as a reader without Spark sees them."""
    rows = DeltaTable(str(lake / "publications")).to_pyarrow_table().to_pylist()
    return sorted(rows, key=lambda row: row["seq"])


def published_rows(lake: Path) -> dict[str, int]:
    """Rows of each run table that a reader without Spark finds for the published run."""
    run_id = acts(lake)[-1]["run_id"]
    found = {}
    for contract in RUN_TABLES:
        folder = lake / contract.name
        if (folder / "_delta_log").exists():
            rows = DeltaTable(str(folder)).to_pyarrow_dataset()
            found[contract.name] = rows.count_rows(filter=ds.field("run_id") == run_id)
    return found


def content(lake: Path) -> dict[str, tuple[int, int]]:
    """Rows and digest of every table of the published run, as its publication says."""
    act = acts(lake)[-1]
    rows, digests = dict(act["rows"]), dict(act["digests"])
    return {table: (rows[table], digests[table]) for table in rows}


def doubled(lake: Path) -> int:
    """Rows of any table that share their key with an earlier row: 0 in a lake that is whole."""
    found = 0
    for contract in TABLES.values():
        if (lake / contract.name / "_delta_log").exists():
            keys = [*contract.key, *(["run_id"] if contract.kind == "run" else [])]
            table = DeltaTable(str(lake / contract.name)).to_pyarrow_table(columns=keys)
            found += table.num_rows - table.group_by(keys).aggregate([]).num_rows
    return found


@pytest.fixture(scope="session")
def before(spark, tmp_path_factory) -> Before:
    """The shop's first month published; files of a further week wait."""
    folder = tmp_path_factory.mktemp("faults")
    files, later = folder / "files", folder / "later"
    write_shop(spark, ShopConfig(users=150, days=37, seed=5, files="day"), str(files))
    waiting = [path for name in DATED for path in sorted((files / name).iterdir())[-7:]]
    for path in waiting:
        (later / path.parent.name).mkdir(parents=True, exist_ok=True)
        path.rename(later / path.parent.name / path.name)
    shop = Shop(folder)
    shop.finish(folder / "lake")
    for path in waiting:
        (later / path.parent.name / path.name).rename(path)
    undisturbed = Path(shutil.copytree(folder / "lake", folder / "undisturbed"))
    return Before(shop, folder / "lake", undisturbed, *_timed_run(shop, undisturbed))


def _timed_run(shop: Shop, lake: Path) -> tuple[dict[str, tuple[float, float]], list[str]]:
    """Runs; seconds from the start to the begin and the end of each stage, publish among them, and what it told."""
    attempt, times = shop.start(lake), {}
    began = 0.0
    while attempt.until(lambda line: line.startswith("[")):
        ended = time.monotonic() - attempt.started
        times[stage_of(attempt.lines[-1])] = (began, ended)
        began = ended
    assert attempt.process.returncode == 0, "\n".join(attempt.lines[-30:])
    return {**times, STAGE_NAMES[-1]: (began, time.monotonic() - attempt.started)}, attempt.lines


def stage_of(line: str) -> str:
    """The stage that a line of progress is about: `[2/9] features …`."""
    return line.split("]", 1)[1].split()[0]


@pytest.fixture(scope="session")
def cluster(tmp_path_factory) -> Iterator[Cluster]:
    """One master and three workers, with the packaged project at hand."""
    make_package()
    with standalone(tmp_path_factory.mktemp("cluster"), workers=3) as cluster:
        yield cluster


@pytest.fixture(scope="session")
def account(request) -> Iterator[Account]:
    """Where each promise enters how often a fault was injected and survived."""
    account = Account()
    yield account
    path = request.config.getoption("--faults-account")
    if path:
        account.write(Path(path))
