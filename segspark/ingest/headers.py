"""Which columns stand in a source's files: their first lines or footers only, never whole files."""

import csv
import json
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import TypeVar

from py4j.protocol import Py4JJavaError
from pyspark.errors import PySparkException
from pyspark.sql import Row, SparkSession
from pyspark.sql import functions as F

from segspark.core.errors import InputError
from segspark.core.expressions import columns_of
from segspark.core.files import escaped
from segspark.ingest.config import SourceConfig
from segspark.ingest.files import SourceFile, line_options, open_typed, separator
from segspark.ingest.unreadable import Unreadable, reason_of

PEEKED_LINES = 1000  # of each new JSON file, to see which fields there are
MARK = "\ufeff"  # the byte order mark that some editors put before the first line
_UTF_16 = ("FFFE", "FEFF")  # the same mark in the two orders of UTF-16

Peeked = TypeVar("Peeked")


@dataclass(frozen=True)
class Group:
    """Files of one source that have the same raw columns, and are read together; text without a line has no column."""

    columns: tuple[str, ...]
    files: list[SourceFile]


def headers(
    spark: SparkSession, name: str, source: SourceConfig, files: Sequence[SourceFile]
) -> tuple[list[Group], list[Unreadable]]:
    """The files by their raw columns, and those that cannot be read. JSON files are one group, of the columns in use.

    Raises InputError where a column that an expression reads is not in a file; the message lists what is there.
    """
    unreadable: list[Unreadable] = []
    if source.is_table:
        groups = [Group(tuple(open_typed(spark, source, files).columns), list(files))]
    elif source.is_text:
        groups, unreadable = _text_groups(spark, name, source, files)
    else:
        groups, unreadable = _typed_groups(spark, source, files)
    for group in groups:
        if group.columns and source.format != "json":
            _require(name, source, group.columns, group.files[0].path)
    return groups, unreadable


def referenced(source: SourceConfig) -> tuple[str, ...]:
    """The raw columns that any expression of the source reads, in alphabetical order."""
    return tuple(sorted({column for _, text in source.expressions() for column in columns_of(text)}))


def header_of(line: str, options: Mapping[str, str | bool]) -> tuple[str, ...]:
    """The names in a csv header; an empty one is called after its place, as `_c2`."""
    dialect = {
        "delimiter": separator(options),
        "quotechar": str(options.get("quote", '"')) or None,
        "quoting": csv.QUOTE_MINIMAL if options.get("quote", '"') else csv.QUOTE_NONE,
    }
    names = next(csv.reader([line.removeprefix(MARK)], **dialect), []) or [""]  # type: ignore[arg-type]
    return tuple(name.strip() or f"_c{place}" for place, name in enumerate(names))


def each_alone(
    files: Sequence[SourceFile], look: Callable[[SourceFile], Peeked | Unreadable]
) -> tuple[list[tuple[SourceFile, Peeked]], list[Unreadable]]:
    """What `look` finds in each file, and the files that cannot be read: one small job each, several at a time.

    A file counts as unreadable once it failed twice: a network may falter.
    """

    def tried(file: SourceFile) -> Peeked | Unreadable:
        found = _attempt(file, look)
        return _attempt(file, look) if isinstance(found, Unreadable) else found

    with ThreadPoolExecutor(8) as pool:
        seen = list(zip(files, pool.map(tried, files), strict=True))
    readable = [(file, found) for file, found in seen if not isinstance(found, Unreadable)]
    return readable, [found for _, found in seen if isinstance(found, Unreadable)]


def _attempt(file: SourceFile, look: Callable[[SourceFile], Peeked | Unreadable]) -> Peeked | Unreadable:
    try:
        return look(file)
    except (PySparkException, Py4JJavaError) as error:
        reason = reason_of(error)
        if reason is None:
            raise
        return Unreadable(file, reason)


def _typed_groups(
    spark: SparkSession, source: SourceConfig, files: Sequence[SourceFile]
) -> tuple[list[Group], list[Unreadable]]:
    """Files by names and types: Spark would take those of one file for all, and fail on the others."""
    found, unreadable = each_alone(
        files, lambda file: spark.read.parquet(*escaped([file.path])).schema.simpleString().lower()
    )
    members: dict[str, list[SourceFile]] = {}
    for file, schema in found:
        members.setdefault(schema, []).append(file)
    return [Group(tuple(open_typed(spark, source, each).columns), each) for each in members.values()], unreadable


def _text_groups(
    spark: SparkSession, name: str, source: SourceConfig, files: Sequence[SourceFile]
) -> tuple[list[Group], list[Unreadable]]:
    peek = _peek_records if source.is_multiline else _peek_lines
    found, unreadable = each_alone(files, lambda file: peek(spark, source, file))
    members: dict[tuple[str, ...], list[SourceFile]] = {}
    for file, columns in found:
        if source.format == "json" and columns:
            _require(name, source, columns, file.path)
        members.setdefault(referenced(source) if source.format == "json" else columns, []).append(file)
    return [Group(columns, each) for columns, each in members.items()], unreadable


def _peek_records(spark: SparkSession, source: SourceConfig, file: SourceFile) -> tuple[str, ...]:
    """The columns that the first record of a csv shows; none where there is no record."""
    options = {**source.options, "header": "false"}
    first = spark.read.options(**{"escape": '"', **options}).csv(escaped([file.path])).first()
    if first is None or not source.has_header:
        return () if first is None else _numbered(len(first))
    titles = [str(value or "").removeprefix(MARK).strip() for value in first]
    return tuple(title or f"_c{place}" for place, title in enumerate(titles))


def _peek_lines(spark: SparkSession, source: SourceConfig, file: SourceFile) -> tuple[str, ...] | Unreadable:
    """The columns that a text file shows in its first lines; none where it has no line, or no line is an object."""
    text = spark.read.options(**line_options(source)).text(escaped([file.path]))
    begins = F.hex(F.substring(F.col("value").cast("binary"), 1, 2)).alias("begins")
    lines = text.select("value", begins, F.is_valid_utf8("value").alias("is_utf8")).take(
        PEEKED_LINES if source.format == "json" else 1
    )
    if not lines:
        return ()
    reason = _not_text(lines[0], source)
    if reason:
        return Unreadable(file, reason)
    if source.format == "json":
        return tuple(sorted({field for line in lines for field in _fields(line.value)}))
    names = header_of(lines[0].value, source.options)
    return names if source.has_header else _numbered(len(names))


def _not_text(first: Row, source: SourceConfig) -> str | None:
    if first.begins in _UTF_16:
        return "the text is UTF-16; save it as UTF-8"
    if source.has_header and not first.is_utf8:
        return "the first line, which should name the columns, is not UTF-8; save the file as UTF-8"
    return None


def _numbered(count: int) -> tuple[str, ...]:
    return tuple(f"_c{place}" for place in range(count))


def _fields(line: str) -> list[str]:
    try:
        value = json.loads(line.removeprefix(MARK))
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
