"""The session that ours and the Spark peers run in: what `segspark run` opens, with the benchmark's memory."""

import os
import shutil
from pathlib import Path

from pyspark.sql import DataFrame, SparkSession

from benchmarks.contestant import Task
from segspark.core.session import SessionConfig, open_session


def session(task: Task) -> SparkSession:
    """A fresh session. Settings are the product's defaults except the driver's memory and what `--conf` says."""
    config = SessionConfig(driver_memory=task.settings["driver_memory"], conf=task.settings["conf"])
    return open_session(config, str(Path(task.output).parent / "checkpoints"), "segspark-benchmark")


def kept(frame: DataFrame, task: Task, name: str) -> DataFrame:
    """The frame as the next stage finds it: written to a folder beside the output and read from there.

    Stages keep it in a Delta table. Like there, the size of the files tells Spark whether it is small enough for a
    broadcast.
    """
    folder = str(Path(task.output).parent / name)
    frame.write.parquet(folder)
    return frame.sparkSession.read.parquet(folder)


def copy_lake(source: str, target: Path) -> None:
    """A lake that may be written to. Data files are never changed, so that a second name is enough for them."""
    shutil.copytree(source, target, copy_function=_share)


def bytes_read(spark: SparkSession) -> int:
    """Bytes that this JVM read through Hadoop's file systems so far: tables, Delta logs and sources; not shuffles."""
    assert spark._jvm is not None
    statistics = spark._jvm.org.apache.hadoop.fs.FileSystem.getAllStatistics()
    return sum(one.getBytesRead() for one in statistics)


def _share(source: str, target: str) -> str:
    if source.endswith(".parquet") and "_delta_log" not in source:
        os.link(source, target)
    else:
        shutil.copy2(source, target)
    return target
