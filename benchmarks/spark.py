"""The session that ours and the Spark peers run in: what `segspark run` opens, with the benchmark's memory."""

from pathlib import Path

from pyspark.sql import SparkSession

from benchmarks.contestant import Task
from segspark.core.session import SessionConfig, open_session


def session(task: Task) -> SparkSession:
    """A fresh session. Settings are the product's defaults except the driver's memory and what `--conf` says."""
    config = SessionConfig(driver_memory=task.settings["driver_memory"], conf=task.settings["conf"])
    return open_session(config, str(Path(task.output).parent / "checkpoints"), "segspark-benchmark")


def bytes_read(spark: SparkSession) -> int:
    """Bytes that this JVM read through Hadoop's file systems so far: tables, Delta logs and sources; not shuffles."""
    assert spark._jvm is not None
    statistics = spark._jvm.org.apache.hadoop.fs.FileSystem.getAllStatistics()
    return sum(one.getBytesRead() for one in statistics)
