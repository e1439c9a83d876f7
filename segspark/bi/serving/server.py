"""The server's own process: `python -m segspark.bi.serving.server` FOLDER. It knows a masked copy and no lake.

Every table of the copy becomes a view that shows the copy's newest publication: all views change together. Clients of
HiveServer2's protocol (JDBC, ODBC, impyla, PyHive) find the views, with their comments, in the database `default`.
"""

import json
import os
import signal
import sys
import tempfile
import threading
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from pyspark.sql import SparkSession

from segspark.bi.marts.views import commented, published_rows, spark_dialect
from segspark.core.contracts import PUBLICATIONS
from segspark.core.session import SessionConfig, open_session, resolved_delta_jars

MANIFEST = "manifest.json"
COPIES = "copies"  # the database of the tables behind the views
SPOKEN = spark_dialect(lambda name: f"{COPIES}.`{name}`")
READY = "serving"  # what the process says once clients may connect
PASSWORD = "SEGSPARK_KEYSTORE_PASSWORD"
SECONDS_TO_MEND = 60  # between two rounds over the views: whoever may ask can also drop them
REFLECTION = ("reflect", "java_method", "try_reflect")  # call any method of Java; nothing here needs them


@dataclass(frozen=True)
class Served:
    """One view: its columns with a comment each, in order."""

    name: str
    comment: str
    columns: dict[str, str]


def write_manifest(folder: Path, views: list[Served], settings: dict[str, str]) -> None:
    """Says what is in the folder, and how the server is to be set (Hive's names of settings)."""
    content = {"views": [vars(view) for view in views], "settings": settings}
    (folder / MANIFEST).write_text(json.dumps(content, indent=1), encoding="utf-8")


def serve(folder: Path, driver_memory: str) -> None:
    """Serves the folder until the process is told to end."""
    manifest = json.loads((folder / MANIFEST).read_text(encoding="utf-8"))
    settings = {f"spark.hadoop.{name}": value for name, value in manifest["settings"].items()}
    if password := os.environ.get(PASSWORD):
        settings["spark.hadoop.hive.server2.keystore.password"] = password
    scratch = tempfile.mkdtemp()
    settings["spark.sql.warehouse.dir"] = f"{scratch}/warehouse"
    if jars := resolved_delta_jars():
        # On the class path, not in spark.jars: a connection that ends closes the loader that the latter are loaded by.
        settings |= {"spark.driver.extraClassPath": os.pathsep.join(map(str, jars)), "spark.jars": ""}
    config = SessionConfig(driver_memory=driver_memory, conf=settings)
    spark = open_session(config, f"{scratch}/checkpoints", "segspark-serve")
    views = [Served(**view) for view in manifest["views"]]
    register(spark, folder, views)
    java: Any = spark.sparkContext._jvm
    _forget_reflection(java)
    java.org.apache.spark.sql.hive.thriftserver.HiveThriftServer2.startWithSparkSession(spark._jsparkSession, False)
    end = threading.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: end.set())
    print(READY, flush=True)
    while not end.wait(SECONDS_TO_MEND):
        register(spark, folder, views)
    spark.stop()


def register(spark: SparkSession, folder: Path, views: list[Served]) -> None:
    """Makes a view in `default` of each table in the folder, also where somebody dropped it."""
    spark.sql(f"CREATE DATABASE IF NOT EXISTS {COPIES}")
    for name in (PUBLICATIONS.name, *(view.name for view in views)):
        place = SPOKEN.literal(str(folder / name))
        spark.sql(f"CREATE TABLE IF NOT EXISTS {SPOKEN.table(name)} USING delta LOCATION {place}")
    newest = published_rows(SPOKEN.table(PUBLICATIONS.name))
    for view in views:
        shown = ", ".join(f"{SPOKEN.name(stored_as(column))} AS {SPOKEN.name(column)}" for column in view.columns)
        query = f"SELECT {shown} FROM {SPOKEN.table(view.name)} WHERE run_id {newest}"
        for statement in commented(SPOKEN, view.name, view.comment, query, view.columns):
            spark.sql(statement)


def stored_as(column: str) -> str:
    """A view's column in the copy, where `run_id` is the number of the publication that was copied."""
    return "shown_run_id" if column == "run_id" else column


def _forget_reflection(java: Any) -> None:
    """Takes the functions that call Java out of what any session of this process knows."""
    known = java.org.apache.spark.sql.catalyst.analysis.FunctionRegistry.builtin()
    for name in REFLECTION:
        known.dropFunction(java.org.apache.spark.sql.catalyst.FunctionIdentifier(name))


if __name__ == "__main__":
    serve(Path(sys.argv[1]), sys.argv[2])
