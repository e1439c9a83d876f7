"""Which columns stand in a source's files: their first lines or footers only, never whole files."""

import csv
import io
import itertools
import json
from collections.abc import Callable, Collection, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from typing import Any, TypeVar

from py4j.protocol import Py4JJavaError
from pyspark.sql import DataFrame, SparkSession

from segspark.core.errors import InputError
from segspark.core.expressions import columns_of
from segspark.ingest.config import SourceConfig
from segspark.ingest.files import SourceFile, separator
from segspark.ingest.peek import MARK, MOST_BYTES, Beginning, beginnings, footer
from segspark.ingest.reading import PLACE, scan
from segspark.ingest.unreadable import DAMAGED, NO_FOOTER, Unreadable, reason_in_java

PEEKED_LINES = 1000  # of each new JSON file, to see which fields there are
_UTF_16 = (b"\xff\xfe", b"\xfe\xff")  # the same mark in the two orders of UTF-16

Peeked = TypeVar("Peeked")


@dataclass(frozen=True)
class Group:
    """Files of one source that have the same raw columns, and are read together; text without a line has no column."""

    columns: tuple[str, ...]
    files: list[SourceFile]
    rows: DataFrame = field(compare=False, repr=False)  # all of them, as `scan` gives them

    def has_columns(self, source: SourceConfig) -> bool:
        """Whether its rows can be parsed; JSON can, even where no line in the beginning of a file is an object."""
        return bool(self.columns) or source.format == "json"


def headers(
    spark: SparkSession, name: str, source: SourceConfig, files: Sequence[SourceFile]
) -> tuple[list[Group], list[Unreadable]]:
    """The files by their raw columns, and those that cannot be read. JSON files are one group, of the columns in use.

    Raises InputError where a column that an expression reads is not in a file; the message lists what is there.
    """
    unreadable: list[Unreadable] = []
    if source.is_table:
        groups = [_typed_group(spark, source, files)]
    elif source.is_text:
        groups, unreadable = _text_groups(spark, name, source, files)
    else:
        groups, unreadable = _typed_groups(spark, source, files)
    for group in groups:
        if group.columns and source.format != "json":
            _require(name, source, group.columns, group.files[0].path)
    return groups, unreadable


def without(group: Group, spark: SparkSession, source: SourceConfig, paths: Collection[str]) -> Group:
    """The group without the files of those paths, which are not all that it has."""
    left = [file for file in group.files if file.path not in paths]
    return group if len(left) == len(group.files) else _group(spark, source, group.columns, left)


def referenced(source: SourceConfig) -> tuple[str, ...]:
    """The raw columns that any expression of the source reads, in alphabetical order."""
    return tuple(sorted({column for _, text in source.expressions() for column in columns_of(text)}))


def header_of(line: str, options: Mapping[str, str | bool]) -> tuple[str, ...]:
    """The names in a csv header; an empty one is called after its place, as `_c2`."""
    return _titles(next(csv.reader([line.removeprefix(MARK)], **_dialect(options)), []) or [""])


def _each(
    files: Sequence[SourceFile], look: Callable[[SourceFile], Peeked | Unreadable], otherwise: str
) -> tuple[list[tuple[SourceFile, Peeked]], list[Unreadable]]:
    """What `look` finds in each file, and the files that cannot be read, why is told by Java or is `otherwise`.

    Several files are looked into at a time. A file counts as unreadable once it failed twice: a network may falter.
    """

    def attempt(file: SourceFile) -> Peeked | Unreadable:
        try:
            return look(file)
        except Py4JJavaError as error:
            return Unreadable(file, reason_in_java(error, otherwise))

    def tried(file: SourceFile) -> Peeked | Unreadable:
        found = attempt(file)
        return attempt(file) if isinstance(found, Unreadable) else found

    with ThreadPoolExecutor(8) as pool:
        seen = list(zip(files, pool.map(tried, files), strict=True))
    readable = [(file, found) for file, found in seen if not isinstance(found, Unreadable)]
    return readable, [found for _, found in seen if isinstance(found, Unreadable)]


def _typed_groups(
    spark: SparkSession, source: SourceConfig, files: Sequence[SourceFile]
) -> tuple[list[Group], list[Unreadable]]:
    """Files by names and types: Spark would take those of one file for all, and fail on the others."""
    found, unreadable = _each(files, lambda file: footer(spark, file.path).columns, NO_FOOTER)
    members: dict[str, list[SourceFile]] = {}
    for file, schema in found:
        members.setdefault(schema, []).append(file)
    return [_typed_group(spark, source, each) for each in members.values()], unreadable


def _typed_group(spark: SparkSession, source: SourceConfig, files: Sequence[SourceFile]) -> Group:
    rows = scan(spark, source, (), files)
    return Group(tuple(column for column in rows.columns if column not in PLACE), list(files), rows)


def _text_groups(
    spark: SparkSession, name: str, source: SourceConfig, files: Sequence[SourceFile]
) -> tuple[list[Group], list[Unreadable]]:
    found, unreadable = _each(files, lambda file: _peek(spark, source, file), DAMAGED)
    members: dict[tuple[str, ...], list[SourceFile]] = {}
    for file, columns in found:
        if source.format == "json" and columns:
            _require(name, source, columns, file.path)
        members.setdefault(referenced(source) if source.format == "json" else columns, []).append(file)
    return [_group(spark, source, columns, each) for columns, each in members.items()], unreadable


def _group(spark: SparkSession, source: SourceConfig, columns: tuple[str, ...], files: list[SourceFile]) -> Group:
    return Group(columns, files, scan(spark, source, columns, files))


def _peek(spark: SparkSession, source: SourceConfig, file: SourceFile) -> tuple[str, ...] | Unreadable:
    """The columns that a text file shows in as much of its beginning as is needed to see them."""
    look = _fields_in if source.format == "json" else _record_in if source.is_multiline else _header_in
    for beginning in beginnings(spark, file.path):
        try:
            columns = look(beginning, source)
        except csv.Error as error:
            return Unreadable(file, f"the first line is no csv: {error}")
        except ValueError as error:
            return Unreadable(file, str(error))
        if columns is not None:
            return columns
    return Unreadable(file, f"the first line does not end within {MOST_BYTES:,} bytes")


def _header_in(beginning: Beginning, source: SourceConfig) -> tuple[str, ...] | None:
    """The columns that the first line of a csv tells; none where there is no line, None where it has not ended.

    Raises ValueError, for a person, where it is no text.
    """
    lines = beginning.lines(source.options)
    if not lines:
        return () if beginning.is_whole else None
    line = _decoded(lines[0], source)
    names = header_of(line, source.options)
    return names if source.has_header else _numbered(len(names))


def _fields_in(beginning: Beginning, source: SourceConfig) -> tuple[str, ...] | None:
    """The fields of the objects in the first lines; None where more lines may bring one that is used.

    Raises ValueError, for a person, where it is no text.
    """
    lines = beginning.lines(source.options)[:PEEKED_LINES]
    if lines:
        _decoded(lines[0], source)
    fields = {field for line in lines for field in _fields(line.decode("utf-8", "replace"))}
    is_enough = beginning.is_last or len(lines) == PEEKED_LINES or fields.issuperset(referenced(source))
    return tuple(sorted(fields)) if is_enough else None


def _record_in(beginning: Beginning, source: SourceConfig) -> tuple[str, ...] | None:
    """The columns of a csv's first record, which may go over several lines; None where it has not ended."""
    encoding = str(source.options.get("encoding", "utf-8"))
    text = beginning.content.decode(encoding, "replace").removeprefix(MARK)
    records = csv.reader(io.StringIO(text, newline=""), **_dialect(source.options))
    found = list(itertools.islice((record for record in records if record), 2))
    if len(found) < 2 and not beginning.is_whole:
        return None
    if not found or not source.has_header:
        return _numbered(len(found[0])) if found else ()
    return _titles(found[0])


def _decoded(line: bytes, source: SourceConfig) -> str:
    """The first line as text. Raises ValueError, for a person, where it is none."""
    if line[:2] in _UTF_16:
        raise ValueError("the text is UTF-16; save it as UTF-8")
    try:
        return line.decode()
    except UnicodeDecodeError:
        if source.has_header:
            told = "the first line, which should name the columns, is not UTF-8; save the file as UTF-8"
            raise ValueError(told) from None
        return line.decode("utf-8", "replace")


def _dialect(options: Mapping[str, str | bool]) -> dict[str, Any]:
    quote = options.get("quote", '"')
    return {
        "delimiter": separator(options),
        "quotechar": str(quote) or None,
        "quoting": csv.QUOTE_MINIMAL if quote else csv.QUOTE_NONE,
    }


def _titles(names: Sequence[str]) -> tuple[str, ...]:
    return tuple(name.strip() or f"_c{place}" for place, name in enumerate(names))


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
