"""Where things are, and single files beside tables: on this machine, or wherever Hadoop's file systems reach."""

from __future__ import annotations

import re
import shutil
from collections.abc import Iterable
from pathlib import Path
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

if TYPE_CHECKING:
    from pyspark.sql import DataFrame, SparkSession

WRITING = ".writing"  # what follows the name of a file until it is whole


def is_catalog(root: str) -> bool:
    """Whether a lake is `catalog.schema`; anything else is a folder or a URL."""
    return "/" not in root and "." in root.strip(".")


def local_path(path: str) -> Path | None:
    """The path on this machine; None where it is elsewhere."""
    place = urlsplit(path)
    if place.scheme not in ("", "file"):
        return None
    return Path(place.path if place.scheme else path)


def escaped(paths: Iterable[str]) -> list[str]:
    """The paths as Spark's readers take them: a `*` or `[` in a name stands for itself."""
    return [re.sub(r"([\\{}\[\]*?,])", r"\\\1", path) for path in paths]


def is_there(spark: SparkSession, path: str) -> bool:
    """Whether a file or a folder is at the path."""
    local = local_path(path)
    if local is not None:
        return local.exists()
    system, place = hadoop(spark, path)
    return bool(system.exists(place))


def write_text(spark: SparkSession, path: str, text: str) -> None:
    """Writes a small text file: on this machine as it is, elsewhere through Hadoop's file systems, as tables are."""
    local = local_path(path)
    if local is not None:
        local.parent.mkdir(parents=True, exist_ok=True)
        local.write_text(text, encoding="utf-8")
        return
    system, place = hadoop(spark, path)
    stream = system.create(place, True)
    try:
        stream.write(bytearray(text, "utf-8"))
    finally:
        stream.close()


def names_in(spark: SparkSession, path: str) -> list[str]:
    """The names in a folder; none where it is not there."""
    system, place = hadoop(spark, path)
    return sorted(each.getPath().getName() for each in system.listStatus(place)) if system.exists(place) else []


def remove(spark: SparkSession, path: str) -> None:
    """Removes a file or a folder."""
    system, place = hadoop(spark, path)
    system.delete(place, True)


def write_csv_file(rows: DataFrame, path: str) -> None:
    """Writes the rows as one CSV file with a header (RFC 4180), in their order. It appears at `path` when it is whole.

    One task of an executor writes it: nothing of the rows' size comes to the driver.
    """
    spark, folder = rows.sparkSession, path.rstrip("/") + WRITING
    options = {"header": "true", "quote": '"', "escape": '"', "emptyValue": ""}
    rows.coalesce(1).write.mode("overwrite").options(**options).csv(folder)
    local, local_folder = local_path(path), local_path(folder)
    if local is not None and local_folder is not None:
        (part,) = local_folder.glob("part-*")
        part.replace(local)
        shutil.rmtree(local_folder)
        return
    system, place = hadoop(spark, folder)
    (part,) = [status.getPath() for status in system.listStatus(place) if status.getPath().getName().startswith("part")]
    system.rename(part, hadoop(spark, path)[1])
    system.delete(place, True)


def hadoop(spark: SparkSession, path: str) -> tuple[Any, Any]:
    """Hadoop's file system that the path is in, and the path as it takes it."""
    java: Any = spark.sparkContext._jvm
    place = java.org.apache.hadoop.fs.Path(path)
    return place.getFileSystem(spark.sparkContext._jsc.hadoopConfiguration()), place
