"""Files under the names they are given, on any file system that Spark writes to."""

import json
from typing import Any

from pyspark.sql import DataFrame, SparkSession

from segspark.core.errors import SegsparkError


def write_named(frame: DataFrame, folder: str, endings: tuple[str, str], names: list[str]) -> None:
    """Writes column `file` of `frame` apart: the rows of each value, in the frame's order, as one file
    `folder/value + ending`. `endings` are the format (text or parquet) and the files' ending; text takes column `line`.

    `names` are all values of `file` that may occur; raises SegsparkError where there is another.
    """
    form, ending = endings
    draft = f"{folder}/_draft"
    compression = "gzip" if ending.endswith(".gz") else "none" if form == "text" else "snappy"
    frame.write.partitionBy("file").option("compression", compression).format(form).mode("overwrite").save(draft)
    for name in names:
        _move_only_file(frame.sparkSession, f"{draft}/file={name}", f"{folder}/{name}{ending}")
    file_system, rest = _located(frame.sparkSession, draft)
    left = [status.getPath().getName() for status in file_system.listStatus(rest)]
    if any(name.startswith("file=") for name in left):
        raise SegsparkError(f"{folder}: rows outside the files' range: {', '.join(left)}")
    remove(frame.sparkSession, draft)


def write_json(spark: SparkSession, path: str, content: dict[str, Any]) -> None:
    """One small JSON file."""
    file_system, target = _located(spark, path)
    stream = file_system.create(target, True)
    stream.write(bytearray(json.dumps(content, indent=2, sort_keys=True) + "\n", "utf-8"))
    stream.close()


def exists(spark: SparkSession, path: str) -> bool:
    """Whether there is a file or folder."""
    file_system, target = _located(spark, path)
    return bool(file_system.exists(target))


def is_empty(spark: SparkSession, folder: str) -> bool:
    """Whether a folder is absent or holds nothing but what begins with `_` or `.`, as Spark's own things do."""
    file_system, target = _located(spark, folder)
    if not file_system.exists(target):
        return True
    return all(status.getPath().getName()[0] in "_." for status in file_system.listStatus(target))


def remove(spark: SparkSession, path: str) -> None:
    """Removes a file or a folder with what is in it; does nothing where there is none."""
    file_system, target = _located(spark, path)
    file_system.delete(target, True)


def _move_only_file(spark: SparkSession, folder: str, path: str) -> None:
    file_system, source = _located(spark, folder)
    if not file_system.exists(source):
        return
    parts = [status.getPath() for status in file_system.listStatus(source)]
    (part,) = [one for one in parts if one.getName().startswith("part-")]
    _, target = _located(spark, path)
    file_system.rename(part, target)
    file_system.delete(source, True)


def _located(spark: SparkSession, path: str) -> tuple[Any, Any]:
    context = spark.sparkContext
    assert context._jvm is not None
    target = context._jvm.org.apache.hadoop.fs.Path(path)
    return target.getFileSystem(context._jsc.hadoopConfiguration()), target
