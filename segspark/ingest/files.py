"""Which files a source has, and which columns stand in them: listing and first lines only, never whole files."""

import csv
import json
import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass

from py4j.protocol import Py4JJavaError
from pyspark.errors import AnalysisException, PySparkException
from pyspark.sql import DataFrame, SparkSession
from pyspark.sql import functions as F

from segspark.core.errors import InputError
from segspark.ingest.config import SourceConfig
from segspark.ingest.expressions import columns_of

PEEKED_LINES = 1000  # of each new JSON file, to see which fields there are
_MARK = "\ufeff"  # the byte order mark that some editors put before the first line


@dataclass(frozen=True)
class SourceFile:
    """One file as the file system shows it."""

    path: str  # as people write it
    url: str  # as `_metadata.file_path` spells it
    size: int  # bytes
    modified: int  # microseconds since 1970


def list_files(spark: SparkSession, name: str, source: SourceConfig) -> list[SourceFile]:
    """The source's files in the order of their paths.

    Raises InputError where there is none. As in Spark, files of no bytes, and those whose name begins with `_` or
    `.`, are left out.
    """
    try:
        listing = _table_files(spark, source) if source.is_table else _folder_files(spark, source)
        rows = listing.collect()
    except AnalysisException as error:
        raise InputError(f"{_key(name, source)}: {_first_line(error)}") from error
    if not rows:
        raise InputError(f"{_key(name, source)}: no file there; name files, a folder or a glob that has some")
    return sorted((SourceFile(r.path, r.url, r.size, r.modified) for r in rows), key=lambda file: file.path)


def escaped(paths: Iterable[str]) -> list[str]:
    """The paths as Spark's readers take them: a `*` or `[` in a name stands for itself."""
    return [re.sub(r"([\\{}\[\]*?,])", r"\\\1", path) for path in paths]


def open_typed(spark: SparkSession, source: SourceConfig, files: Sequence[SourceFile]) -> DataFrame:
    """The rows of parquet files, or of a table restricted to `files`. Folders like `day=2024-01-01` give a column."""
    if source.is_table:
        rows = _open_table(spark, source)
        return rows.where(F.col("_metadata.file_path").isin([file.url for file in files])) if files else rows
    reader = spark.read
    if len(source.paths) == 1 and not re.search(r"[*?{\[]", source.paths[0]) and not _is_one_of(source, files):
        reader = reader.option("basePath", source.paths[0])
    return reader.parquet(*escaped(file.path for file in files))


def headers(
    spark: SparkSession, name: str, source: SourceConfig, files: Sequence[SourceFile]
) -> dict[tuple[str, ...], list[SourceFile]]:
    """The raw columns of text files: files grouped by them. JSON files are one group, of the fields first seen.

    Raises InputError where a column that an expression reads is not in a file; the message lists what is there.
    """
    if not source.is_text:
        columns = tuple(open_typed(spark, source, files).columns)
        _require(name, source, columns, files[0].path)
        return {columns: list(files)}
    with (
        told_where_unreadable(name),
        ThreadPoolExecutor(8) as pool,
    ):  # one small job per file; Spark runs them side by side
        peeked = list(pool.map(lambda file: _peek(spark, source, file), files))
    groups: dict[tuple[str, ...], list[SourceFile]] = {}
    for file, found in zip(files, peeked, strict=True):
        if found is not None:
            _require(name, source, found, file.path)
        key = referenced(source) if source.format == "json" else found or ()
        groups.setdefault(key, []).append(file)
    return groups


def referenced(source: SourceConfig) -> tuple[str, ...]:
    """The raw columns that any expression of the source reads, in alphabetical order."""
    return tuple(sorted({column for _, text in source.expressions() for column in columns_of(text)}))


@contextmanager
def told_where_unreadable(name: str) -> Iterator[None]:
    """Turns Spark's failure to read a file to its end (cut off, broken compression, gone) into an InputError."""
    try:
        yield
    except (PySparkException, Py4JJavaError) as error:
        if "FAILED_READ_FILE" not in str(error):
            raise
        found = re.search(r"reading file (.+?)\.\s+SQLSTATE", str(error))
        path = found.group(1) if found else "a file"
        raise InputError(f"sources.{name}: {path} cannot be read to its end; is it whole? Copy it anew") from None


def header_of(line: str, options: Mapping[str, str | bool]) -> tuple[str, ...]:
    """The names in a csv header; an empty one is called after its place, as `_c2`."""
    dialect = {
        "delimiter": separator(options),
        "quotechar": str(options.get("quote", '"')) or None,
        "quoting": csv.QUOTE_MINIMAL if options.get("quote", '"') else csv.QUOTE_NONE,
    }
    names = next(csv.reader([line.removeprefix(_MARK)], **dialect), [])  # type: ignore[arg-type]
    return tuple(name.strip() or f"_c{place}" for place, name in enumerate(names))


def separator(options: Mapping[str, str | bool]) -> str:
    """What stands between two fields; `\\t` is a tab."""
    return str(options.get("sep", ",")).replace("\\t", "\t")


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


def _peek(spark: SparkSession, source: SourceConfig, file: SourceFile) -> tuple[str, ...] | None:
    """The columns that a text file shows in its first lines; None where it has no line."""
    if source.is_multiline:
        options = {**source.options, "header": "false"}
        first = spark.read.options(**{"escape": '"', **options}).csv(escaped([file.path])).first()
        if first is None or not source.has_header:
            return None if first is None else _numbered(len(first))
        titles = [str(value or "").removeprefix(_MARK).strip() for value in first]
        return tuple(title or f"_c{place}" for place, title in enumerate(titles))
    lines = (
        spark.read.options(**line_options(source))
        .text(escaped([file.path]))
        .take(PEEKED_LINES if source.format == "json" else 1)
    )
    if not lines:
        return None
    if source.format == "json":
        return tuple(sorted({field for line in lines for field in _fields(line.value)})) or None
    names = header_of(lines[0].value, source.options)
    return names if source.has_header else _numbered(len(names))


def line_options(source: SourceConfig) -> dict[str, str]:
    """The options of the reader of lines."""
    return {"lineSep": str(source.options["lineSep"])} if "lineSep" in source.options else {}


def _numbered(count: int) -> tuple[str, ...]:
    return tuple(f"_c{place}" for place in range(count))


def _fields(line: str) -> list[str]:
    try:
        value = json.loads(line)
    except ValueError:
        return []
    return list(value) if isinstance(value, dict) else []


def _require(name: str, source: SourceConfig, columns: Sequence[str], path: str) -> None:
    exact = source.is_text and source.format == "json"
    known = [column if exact else column.lower() for column in columns]
    there = ", ".join(columns) or "none"
    for key, text in source.expressions():
        for column in sorted(columns_of(text)):
            times = known.count(column if exact else column.lower())
            if times == 0:
                raise InputError(f"sources.{name}.{key}: no column {column} in {path}; it has: {there}")
            if times > 1:
                raise InputError(f"sources.{name}.{key}: {times} columns {column} in {path}; rename all but one")


def _key(name: str, source: SourceConfig) -> str:
    return f"sources.{name}.{'table' if source.table is not None else 'path'}"


def _first_line(error: Exception) -> str:
    return str(error).splitlines()[0]
