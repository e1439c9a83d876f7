"""Which files a source has, and how their rows are opened."""

import os
import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass

from py4j.protocol import Py4JJavaError
from pyspark.errors import AnalysisException, PySparkException
from pyspark.sql import DataFrame, SparkSession
from pyspark.sql import functions as F

from segspark.core.errors import InputError
from segspark.core.files import escaped
from segspark.ingest.config import SourceConfig


@dataclass(frozen=True)
class SourceFile:
    """One file as the file system shows it."""

    path: str  # as people write it
    url: str  # as `_metadata.file_path` spells it
    size: int  # bytes
    modified: int  # microseconds since 1970


def list_files(spark: SparkSession, name: str, source: SourceConfig) -> list[SourceFile]:
    """The source's files in the order of their paths.

    Raises InputError where there is none, or where a link leads out of what is configured. As in Spark, files of no
    bytes, and those whose name begins with `_` or `.`, are left out.
    """
    try:
        with told_where_damaged(name, source):
            listing = _table_files(spark, source) if source.is_table else _folder_files(spark, source)
            rows = listing.collect()
    except AnalysisException as error:
        raise InputError(f"{_key(name, source)}: {_first_line(error)}") from error
    if not rows:
        raise InputError(f"{_key(name, source)}: no file there; name files, a folder or a glob that has some")
    if not source.is_table:
        _refuse_links_out(name, source, [row.path for row in rows])
    return sorted((SourceFile(r.path, r.url, r.size, r.modified) for r in rows), key=lambda file: file.path)


def open_typed(spark: SparkSession, source: SourceConfig, files: Sequence[SourceFile]) -> DataFrame:
    """The rows of parquet files, or of a table restricted to `files`. Folders like `day=2024-01-01` give a column."""
    if source.is_table:
        rows = _open_table(spark, source)
        return rows.where(F.col("_metadata.file_path").isin([file.url for file in files])) if files else rows
    reader = spark.read
    if len(source.paths) == 1 and not re.search(r"[*?{\[]", source.paths[0]) and not _is_one_of(source, files):
        reader = reader.option("basePath", source.paths[0])
    return reader.parquet(*escaped(file.path for file in files))


@contextmanager
def told_where_damaged(name: str, source: SourceConfig) -> Iterator[None]:
    """Turns Spark's failure to read a file of a table into an InputError: what its log counts on cannot be left out."""
    try:
        yield
    except (PySparkException, Py4JJavaError) as error:
        if not source.is_table or "FAILED_READ_FILE" not in str(error):
            raise
        found = re.search(r"reading file (.+?)\.\s", str(error))
        path = found.group(1) if found else "a file"
        raise InputError(f"{_key(name, source)}: {path} belongs to the table and cannot be read; mend it") from None


def separator(options: Mapping[str, str | bool]) -> str:
    """What stands between two fields; `\\t` is a tab."""
    return str(options.get("sep", ",")).replace("\\t", "\t")


def _refuse_links_out(name: str, source: SourceConfig, paths: Iterable[str]) -> None:
    """Raises InputError where a file of this machine lies elsewhere than in the places that the configuration names.

    Who may put a file into a folder of uploads could else have any file read that the job can read.
    """
    named = [os.path.realpath(root) for root in source.roots]
    for path in (path.removeprefix("file:") for path in paths if path.startswith("file:")):
        real = os.path.realpath(path)
        if not any(os.path.commonpath([place, real]) == place for place in named):
            raise InputError(
                f"{_key(name, source)}: {path} is a link out of what is named here, to {real}; remove it, or name the"
                " place it leads to beside the others"
            )


def _folder_files(spark: SparkSession, source: SourceConfig) -> DataFrame:
    listing = spark.read.format("binaryFile").option("recursiveFileLookup", "true").load(source.paths)
    return listing.select(
        "path",
        F.col("_metadata.file_path").alias("url"),
        F.col("length").alias("size"),
        F.unix_micros("modificationTime").alias("modified"),
    ).distinct()


def _table_files(spark: SparkSession, source: SourceConfig) -> DataFrame:
    rows = _open_table(spark, source)
    return rows.select(
        F.col("_metadata.file_path").alias("path"),
        F.col("_metadata.file_path").alias("url"),
        F.col("_metadata.file_size").alias("size"),
        F.unix_micros("_metadata.file_modification_time").alias("modified"),
    ).distinct()


def _open_table(spark: SparkSession, source: SourceConfig) -> DataFrame:
    if source.table is not None:
        return spark.read.table(source.table)
    if len(source.paths) != 1:
        raise InputError("sources: a delta source has one path; name one table, or read its copies as parquet")
    return spark.read.format("delta").load(source.paths[0])


def _is_one_of(source: SourceConfig, files: Sequence[SourceFile]) -> bool:
    """Whether the configured path is itself a file."""
    return any(file.path.endswith(source.paths[0].removeprefix("file:").lstrip("./")) for file in files)


def line_options(source: SourceConfig) -> dict[str, str]:
    """The options of the reader of lines."""
    return {"lineSep": str(source.options["lineSep"])} if "lineSep" in source.options else {}


def _key(name: str, source: SourceConfig) -> str:
    return f"sources.{name}.{'table' if source.table is not None else 'path'}"


def _first_line(error: Exception) -> str:
    return str(error).splitlines()[0]
