"""Ingest and features over the first `days` days of files: from nothing, or on a lake that holds the days before."""

import shutil
from datetime import timedelta
from pathlib import Path
from typing import Any

from benchmarks.contestant import Ready, Task
from benchmarks.shop_days import FIRST_DAY
from benchmarks.spark import bytes_read, copy_lake, session
from segspark.core.contracts import EVENTS, ITEMS, ORDERS, RATINGS, USER_FEATURES, USERS, Contract
from segspark.core.lake import Lake
from segspark.core.runs import highest_ingest_seq
from segspark.core.stage import Run, StageContext
from segspark.features.config import FeaturesConfig
from segspark.features.preparation.stage import write_prepared
from segspark.features.stage import build_features, update_days
from segspark.ingest.config import IngestConfig, SourceConfig, SourcesConfig
from segspark.ingest.stage import ingest

DATED = ("events", "orders", "ratings")
LOGS = (EVENTS, ORDERS, USERS, ITEMS, RATINGS)


def run(task: Task, ready: Ready) -> dict[str, Any]:
    """Leaves the lake at `output` and, beside it, this run's user_features. Tells the bytes that were read."""
    root, days = Path(task.output), int(task.inputs["days"])
    if task.settings["on_history"]:
        copy_lake(task.inputs["history"], root)
    spark = session(task)
    ready()
    lake = Lake(spark, str(root))
    sources = SourcesConfig(**{log.name: _source(Path(task.inputs["files"]), log, days) for log in LOGS})
    read = ingest(lake, sources, IngestConfig(), _silent)
    run_id = f"benchmark-{days}"
    attempt = Run(run_id, FIRST_DAY + timedelta(days=days), highest_ingest_seq(lake), 7)
    built: dict[str, int] = {}
    for part in (update_days, build_features, write_prepared):
        built |= part(StageContext(lake, attempt), FeaturesConfig()).rows
    told = {"bytes_read": bytes_read(spark), "ingested": read.rows, "built": built}
    spark.stop()
    shutil.copytree(root / USER_FEATURES.name / f"run_id={run_id}", root.with_name("user_features"))
    return told


def _source(files: Path, log: Contract, days: int) -> SourceConfig:
    """Dated sources have a file per day; every column has the log's own name."""
    folder = files / log.name
    dated = [folder / f"{FIRST_DAY + timedelta(days=number)}.parquet" for number in range(days)]
    paths = dated if log.name in DATED else [folder / f"{log.name}.parquet"]
    columns = {name: name for name in log.names if name not in ("day", "ingest_seq")}
    return SourceConfig(path=[str(path) for path in paths], format="parquet", columns=columns)


def _silent(message: str) -> None:
    """Nobody listens."""
