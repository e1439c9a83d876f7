"""A run over a shop's files, from nothing to what is published."""

from pathlib import Path
from typing import Any

from pyspark.sql import functions as F

from benchmarks.contestant import Ready, Task
from benchmarks.spark import session
from segspark.config import Config
from segspark.core.contracts import EVENTS, ITEMS, ORDERS, RATINGS, RUNS, USER_DAYS, USERS, Contract
from segspark.core.lake import Lake
from segspark.ingest.config import SourceConfig, SourcesConfig
from segspark.pipeline import RunRequest, run_pipeline

TOTALS = ("events", "purchases", "order_lines", "refunds", "ratings")


def run(task: Task, ready: Ready) -> dict[str, Any]:
    """Writes what all user_days add up to; tells how many these are, and the wall seconds of each stage."""
    spark = session(task)
    ready()
    root = Path(task.output).with_name("lake")
    lake, files = Lake(spark, str(root)), Path(task.inputs[str(task.settings["days"])])
    sources = SourcesConfig(**{log.name: _source(files, log) for log in (EVENTS, ORDERS, USERS, ITEMS, RATINGS)})
    request = RunRequest(only=tuple(task.inputs["stages"].split()))
    run_pipeline(lake, Config(lake=str(root), sources=sources), request, lambda line: None)
    days = lake.read(USER_DAYS)
    days.agg(*(F.sum(name).alias(name) for name in TOTALS)).write.parquet(task.output)
    seconds = {row.stage: round(row.seconds, 1) for row in lake.rows(RUNS) if row.status == "done"}
    reach = lake.extent(USER_DAYS)
    spark.stop()
    return {"user_days": reach.rows, "from": str(reach.first_day), "seconds": seconds, **_files(root)}


def _source(files: Path, log: Contract) -> SourceConfig:
    columns = {name: name for name in log.names if name not in ("day", "ingest_seq")}
    return SourceConfig(path=str(files / f"{log.name}.parquet"), format="parquet", columns=columns)


def _files(root: Path) -> dict[str, int]:
    """Data files of the lake and their bytes, old versions with them."""
    sizes = [path.stat().st_size for path in root.glob("*/**/*.parquet") if "_delta_log" not in path.parts]
    return {"files": len(sizes), "bytes": sum(sizes)}
