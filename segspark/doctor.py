"""`segspark doctor`: what is wrong with this machine or cluster, and how to mend it."""

import shutil
import sys
import tempfile
from dataclasses import dataclass
from importlib import metadata
from pathlib import Path

from segspark.config import Config
from segspark.core import machine
from segspark.core.config import SessionConfig
from segspark.core.contracts import TABLES
from segspark.core.errors import LakeError
from segspark.core.files import is_catalog, local_path
from segspark.core.folder_lake import FolderLake
from segspark.core.jars import delta_coordinates, resolved_delta_jars

LEAST_DISK_GIB = 2.0


@dataclass(frozen=True)
class Check:
    """One thing looked at: what, what was found, whether it will do, and how to mend it where not."""

    what: str
    found: str
    passed: bool
    mend: str = ""


def examine(config: Config | None = None, quick: bool = False) -> list[Check]:
    """Every check in order; the round trip through Spark and Delta only where the rest passed, and never if `quick`."""
    checks = [*_machine_checks(), *_package_checks(), _disk_check(config), *_lake_checks(config)]
    if not quick and all(check.passed for check in checks):
        checks.append(_round_trip(config.spark if config else SessionConfig()))
    return checks


def _machine_checks() -> list[Check]:
    java, memory = machine.java_version(), machine.memory_gib()
    python = ".".join(map(str, sys.version_info[:3]))
    return [
        _check("Python", python, machine.python_problem(sys.version_info)),
        _check("Java", str(java), machine.java_problem(java)),
        _check("memory", "unknown" if memory is None else f"{memory:.1f} GiB", machine.memory_problem(memory)),
    ]


def _check(what: str, found: str, problem: str | None) -> Check:
    return Check(what, found, problem is None, problem or "")


def _package_checks() -> list[Check]:
    wanted = {"pyspark": "4.2.", "delta-spark": "4.4.", "pandas": "2."}
    found = {name: metadata.version(name) for name in wanted}
    mend = "install what requirements.lock pins: pip install --require-hashes -r requirements.lock"
    packages = [Check(name, found[name], found[name].startswith(start), mend) for name, start in wanted.items()]
    jars = resolved_delta_jars()
    where = (
        "on this machine"
        if jars
        else "not yet on this machine; the first start fetches " + ", ".join(delta_coordinates())
    )
    return [*packages, Check("Delta's jars", where, True)]


def _disk_check(config: Config | None) -> Check:
    """Room where the lake is, or in the working directory."""
    folder = _folder_of_lake(config) or Path.cwd()
    while not folder.exists():
        folder = folder.parent
    free = shutil.disk_usage(folder).free / 2**30
    return Check("disk", f"{free:.1f} GiB free", free >= LEAST_DISK_GIB, f"make room: {LEAST_DISK_GIB} GiB or more")


def _lake_checks(config: Config | None) -> list[Check]:
    """Whether the tables of a lake in a folder can be read without Spark, every file of them."""
    folder = _folder_of_lake(config)
    if folder is None:
        return []
    lake = FolderLake(str(folder))
    try:
        tables = [contract for contract in TABLES.values() if lake.exists(contract)]
        for contract in tables:
            lake.look_at(contract)
        published = lake.published_run() or "nothing"
    except LakeError as error:
        return [Check("lake", str(error), False, "look at what `segspark status --engine spark` says")]
    return [Check("lake", f"{len(tables)} tables in {config.lake if config else ''}, {published} is published", True)]


def _folder_of_lake(config: Config | None) -> Path | None:
    """The folder that the lake is; None where it is none, or there is no configuration."""
    return None if config is None or is_catalog(config.lake) else local_path(config.lake)


def _round_trip(config: SessionConfig) -> Check:
    """Starts Spark as configured, writes a Delta table and reads it back."""
    from segspark.core.session import open_session

    with tempfile.TemporaryDirectory() as folder:
        try:
            spark = open_session(config, f"{folder}/checkpoints", "segspark-doctor")
            spark.range(3).write.format("delta").save(f"{folder}/table")
            rows = spark.read.format("delta").load(f"{folder}/table").count()
            context = spark.sparkContext
            found = f"Spark {spark.version} at {context.master}, {context.defaultParallelism} cores, {rows} of 3 rows"
            spark.stop()
            return Check("Spark and Delta", found, rows == 3, "run with --debug and look at the trace")
        except Exception as error:
            first = str(error).strip().splitlines()[0][:300]
            mend = f"master {config.master}: is it up and reachable, and do its workers run the same versions?"
            return Check("Spark and Delta", f"{type(error).__name__}: {first}", False, mend)
