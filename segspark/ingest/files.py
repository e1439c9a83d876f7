"""Which files a source has, and how their rows are opened."""

import codecs
import os
import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

from py4j.protocol import Py4JJavaError
from pyspark.errors import AnalysisException, PySparkException
from pyspark.sql import DataFrame, SparkSession
from pyspark.sql import functions as F

from segspark.core.errors import InputError
from segspark.core.files import escaped, hadoop, local_path
from segspark.ingest.config import SourceConfig
from segspark.ingest.peek import nanosecond_columns

OPENING = str(64 * 2**10)  # bytes that could be read while a file is opened
MANY = "1000000"  # files that the driver lists by itself
LISTING_TASKS = "32"
NANOS_AS_LONG = "spark.sql.legacy.parquet.nanosAsLong"  # Spark has no such times; `open_typed` makes them


@dataclass(frozen=True)
class SourceFile:
    """One file as the file system shows it."""

    path: str  # as people write it
    url: str  # as `_metadata.file_path` spells it
    size: int  # bytes
    modified: int  # microseconds since 1970
    place: str | None = None  # where its content lies, of an archive that was unpacked
    rows: int | None = None  # of a table's file those that the table shows, without what it has deleted

    @property
    def opened(self) -> str:
        """The path that is opened to read it."""
        return self.place or self.path


def list_files(spark: SparkSession, name: str, source: SourceConfig) -> list[SourceFile]:
    """The source's files in the order of their paths.

    Raises InputError where there is none, or where a link leads out of what is configured. As in Spark, files of no
    bytes, and those whose name begins with `_` or `.`, are left out.
    """
    files = _table_files(spark, name, source) if source.is_table else _folder_files(spark, name, source)
    if not files:
        raise InputError(f"{_key(name, source)}: no file there; name files, a folder or a glob that has some")
    if not source.is_table:
        _refuse_links_out(name, source, [file.path for file in files])
    return sorted(files, key=lambda file: file.path)


def by_age(files: Iterable[SourceFile]) -> list[SourceFile]:
    """The files in the order in which they count where a later one replaces rows of an earlier one: by their own times,
    those of one time by name, `users_9` before `users_10`.
    """
    return sorted(files, key=lambda file: (file.modified, _natural(file.path)))


def _natural(path: str) -> list[tuple[str, int]]:
    """What orders names as people do: numbers in them by value."""
    parts = re.findall(r"([^0-9]*)([0-9]*)", path)
    return [(text, int(digits or -1)) for text, digits in parts]


def reading_settings(sources: Iterable[SourceConfig]) -> dict[str, str]:
    """Settings of the session under which many small files are found and read by few tasks, and long mappings compiled.

    Spark lists more than 32 files by a job of one task each, and packs them as if opening one took as long as reading
    four megabytes. On this machine neither pays; elsewhere a listing takes its time, and some tasks share it. Java
    never compiles a method of more than 8,000 bytes: in the single one that Spark makes of a step with many expressions
    a row took four times as long.
    """
    is_here = all(local_path(path) is not None for source in sources for path in source.paths)
    return {
        "spark.sql.codegen.hugeMethodLimit": "8000",
        NANOS_AS_LONG: "true",
        "spark.sql.legacy.javaCharsets": "true",  # windows-1252, as Excel writes it, and others beside Unicode
        "spark.sql.files.openCostInBytes": OPENING,
        "spark.sql.sources.parallelPartitionDiscovery.threshold": MANY if is_here else "32",
        "spark.sql.sources.parallelPartitionDiscovery.parallelism": LISTING_TASKS,
    }


def open_typed(spark: SparkSession, source: SourceConfig, files: Sequence[SourceFile]) -> DataFrame:
    """The rows of parquet files, or of a table restricted to `files`. Folders like `day=2024-01-01` give a column."""
    if source.is_table:
        rows = _open_table(spark, source)
        return rows.where(F.col("_metadata.file_path").isin([file.url for file in files])) if files else rows
    reader = spark.read
    if len(source.paths) == 1 and not re.search(r"[*?{\[]", source.paths[0]) and not _is_one_of(source, files):
        reader = reader.option("basePath", source.paths[0])
    rows = reader.parquet(*escaped(file.opened for file in files))
    nanos = nanosecond_columns(spark, files[0].path)
    micros = {name: f"timestamp_micros((`{name}` - pmod(`{name}`, 1000)) div 1000)" for name in nanos}
    return rows.withColumns({name: F.expr(text) for name, text in micros.items()})


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


def check_encoding(spark: SparkSession, name: str, source: SourceConfig) -> None:
    """Raises InputError, naming the key, where Java does not know the encoding of the source's text."""
    java: Any = spark._jvm
    if not java.java.nio.charset.Charset.isSupported(encoding(source.options)):
        told = source.options["encoding"]
        raise InputError(f"sources.{name}.options.encoding: {told} is not known to Java; UTF-8 and windows-1252 are")


def encoding(options: Mapping[str, str | bool]) -> str:
    """The encoding of text, by a name that Python and Java have in common."""
    return codecs.lookup(str(options.get("encoding", "UTF-8"))).name


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


def _folder_files(spark: SparkSession, name: str, source: SourceConfig) -> list[SourceFile]:
    """The files in the configured places and in all folders below them, each once."""
    java: Any = spark._jvm
    as_path = java.org.apache.hadoop.fs.Path
    found: dict[str, SourceFile] = {}
    for path in source.paths:
        try:
            system, place = hadoop(spark, path)
            matches = system.globStatus(place)
            if not matches:
                raise InputError(f"{_key(name, source)}: {path} does not exist; name files, a folder or a glob")
            found |= {file.path: file for match in matches for file in _files_at(system, match, as_path)}
        except Py4JJavaError as error:
            raise InputError(f"{_key(name, source)}: {path} cannot be listed: {error.java_exception}") from error
    return list(found.values())


def _files_at(system: Any, status: Any, as_path: Any) -> Iterator[SourceFile]:
    """The file of that status, or those below that folder."""
    place = status.getPath()
    if status.isDirectory():
        for below in system.listStatus(place):
            if not (below.isDirectory() and _is_hidden(below.getPath().getName())):
                yield from _files_at(system, below, as_path)
    elif (size := status.getLen()) and not _is_hidden(place.getName()):
        path = place.toString()
        url = as_path(path).toUri().toString()  # as text and back: one file has one spelling
        yield SourceFile(path, url, size, status.getModificationTime() * 1000)


def _is_hidden(name: str) -> bool:
    """Whether Spark's readers pass over it; `_month=5` is a folder that gives a column."""
    return name.startswith(".") or (name.startswith("_") and "=" not in name) or name.endswith("._COPYING_")


def _table_files(spark: SparkSession, name: str, source: SourceConfig) -> list[SourceFile]:
    try:
        with told_where_damaged(name, source):
            metadata = [
                F.col("_metadata.file_path").alias("path"),
                F.col("_metadata.file_size").alias("size"),
                F.unix_micros("_metadata.file_modification_time").alias("modified"),
            ]
            rows = _open_table(spark, source).groupBy(*metadata).agg(F.count(F.lit(1)).alias("rows")).collect()
    except AnalysisException as error:
        raise InputError(f"{_key(name, source)}: {_first_line(error)}") from error
    return [SourceFile(row.path, row.path, row.size, row.modified, rows=row.rows) for row in rows]


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
