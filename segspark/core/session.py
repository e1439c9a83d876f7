"""The only builder of a SparkSession: local on a laptop, or whatever spark-submit was given."""

import os
import sys
from pathlib import Path
from typing import Any

from pyspark import SparkContext
from pyspark.sql import SparkSession

from segspark.core.config import SessionConfig
from segspark.core.jars import delta_coordinates, resolved_delta_jars

# Two jars are all that Delta needs: the rest of its list is what Spark ships already, or readers for other engines.
EXCLUDES = "org.*:*,com.*:*,commons-*:*,javax.*:*,io.airlift:*,io.unitycatalog:*,io.delta:delta-kernel*"

# A local run is hundreds of short jobs: by default the JVM spends a third of all CPU on optimising code that runs once.
# Optimising twenty times later took a run of the demo shop from 422 to 309 CPU seconds; loops over millions of rows
# pass these counts within their first second. Generated code overflows the default cache, which is then swept for ever.
LATE_OPTIMISER = (
    "-XX:ReservedCodeCacheSize=512m -XX:Tier4InvocationThreshold=100000"
    " -XX:Tier4MinInvocationThreshold=12000 -XX:Tier4CompileThreshold=300000 -XX:Tier4BackEdgeThreshold=800000"
)
# Each broadcast that is joined by a string takes a page of the driver's heap, however few its rows. By Spark's own rule
# a page grows with the heap, to 64 MB: a question over views with forty such joins took 900 MB of two gigabytes for
# some thousands of rows, and two at a time were too many. Features cost the same CPU seconds with small pages.
PAGE = "2m"
# A machine's own libblas and liblapack would change the last digits of factors, and their lack is noise on the screen.
JAVA_ALGEBRA = "".join(f" -Ddev.ludovic.netlib.{part}.allowNative=false" for part in ("blas", "lapack"))


def open_session(config: SessionConfig, checkpoints: str, app_name: str = "segspark") -> SparkSession:
    """A session with Delta, UTC times and a checkpoint folder.

    Under spark-submit, master, jars and memory come from there. Checkpoints cut the lineage of iterative jobs (ALS),
    which otherwise grows until the stack overflows.
    """
    settings = _common_settings(config)
    if not _is_submitted():
        os.environ.setdefault("PYSPARK_PYTHON", sys.executable)
        settings = {**_local_settings(config), **settings}
    builder = SparkSession.builder.appName(app_name)
    for key, value in {**settings, **config.conf}.items():
        builder = builder.config(key, value)
    spark = builder.getOrCreate()
    spark.sparkContext.setLogLevel("ERROR")
    java: Any = spark.sparkContext._jvm
    logging = java.java.util.logging
    logging.Logger.getLogger("").setLevel(logging.Level.WARNING)  # MLlib's algebra tells which one it takes
    spark.sparkContext.setCheckpointDir(config.checkpoints or checkpoints)
    return spark


def clear_checkpoints(spark: SparkSession) -> None:
    """Deletes this session's checkpoints: they hold users' ids and no run reads what another left."""
    folder = spark.sparkContext.getCheckpointDir()
    if folder:
        java: Any = spark.sparkContext._jvm
        path = java.org.apache.hadoop.fs.Path(folder)
        path.getFileSystem(spark._jsc.hadoopConfiguration()).delete(path, True)


def _is_submitted() -> bool:
    """Whether spark-submit started this process, or a session is up already."""
    return SparkContext._active_spark_context is not None or "PYSPARK_GATEWAY_PORT" in os.environ


def _common_settings(config: SessionConfig) -> dict[str, str]:
    return {
        "spark.sql.extensions": "io.delta.sql.DeltaSparkSessionExtension",
        "spark.sql.catalog.spark_catalog": "org.apache.spark.sql.delta.catalog.DeltaCatalog",
        "spark.sql.session.timeZone": "UTC",
        "spark.sql.variable.substitute": "false",  # `${env:KEY}` in an expression would be the key in a table
        "spark.sql.shuffle.partitions": str(config.shuffle_partitions),
        "spark.sql.execution.arrow.pyspark.enabled": "true",
        # Most groups here are users, or users and items: far more than the small first-level map holds, in which each
        # row was looked up in vain before it went to the real one: a fifth of the CPU seconds of such a grouping.
        "spark.sql.codegen.aggregate.map.twolevel.enabled": "false",
        "spark.buffer.pageSize": PAGE,
        # Few rows are put into one partition, so that nothing is shuffled. Spark undoes it where it takes them to be
        # many, and takes a join to have the product of both sides' bytes.
        "spark.sql.maxSinglePartitionBytes": str(2**63 - 1),
        "spark.sql.parquet.compression.codec": "zstd",  # files a fifth smaller than Spark's default for the same CPU
        "spark.sql.parquet.outputTimestampType": "TIMESTAMP_MICROS",  # as Delta's tables have times
        "spark.sql.sources.parallelPartitionDiscovery.threshold": "128",  # fewer files are looked at without a job
        "spark.sql.legacy.parameterSubstitution.constantsOnly": "true",  # Delta's parser refuses arguments otherwise
        "spark.cleaner.referenceTracking.cleanCheckpoints": "true",
        "spark.ui.showConsoleProgress": "false",
    }


def _local_settings(config: SessionConfig) -> dict[str, str]:
    jars = resolved_delta_jars()
    delta = (
        {"spark.jars": ",".join(map(str, jars))}
        if jars
        else {"spark.jars.packages": ",".join(delta_coordinates()), "spark.jars.excludes": EXCLUDES}
    )
    quiet = Path(__file__).with_name("log4j2.properties")
    chosen = config.conf.get("spark.driver.extraJavaOptions", "")
    collector = "" if "GC" in chosen else " -XX:+UseParallelGC"  # Java refuses to start with two
    logging = f" -Dlog4j.configurationFile={quiet.as_uri()}" if quiet.exists() else ""
    return {
        "spark.driver.defaultJavaOptions": LATE_OPTIMISER + JAVA_ALGEBRA + collector + logging,
        "spark.master": config.master,
        "spark.driver.memory": config.driver_memory,
        "spark.driver.host": "127.0.0.1",
        "spark.driver.bindAddress": "127.0.0.1",
        "spark.ui.enabled": str(config.ui).lower(),
        "spark.databricks.delta.snapshotPartitions": "2",
        "spark.sql.catalogImplementation": "in-memory",
        **delta,
    }
