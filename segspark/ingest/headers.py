"""Which columns stand in a source's files: their first lines or footers only, never whole files."""

import csv
import io
import itertools
import json
from collections.abc import Callable, Collection, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field, replace
from typing import Any, TypeVar

from py4j.protocol import Py4JJavaError
from pyspark.errors import PySparkException
from pyspark.sql import DataFrame, SparkSession
from pyspark.sql import functions as F

from segspark.core.errors import InputError
from segspark.core.expressions import columns_of
from segspark.ingest.config import REQUIRED, SourceConfig
from segspark.ingest.files import SourceFile, encoding, separator
from segspark.ingest.peek import MARK, MOST_BYTES, Beginning, beginnings, footer
from segspark.ingest.reading import PLACE, parse, scan
from segspark.ingest.unreadable import DAMAGED, NO_FOOTER, Unreadable, no_text, reason_in_java

PEEKED_LINES = 1000  # of each new JSON file, to see which fields there are
_ONE_SIGN = "\x1f"  # ends a field for Python's reader where the separator has several signs

Peeked = TypeVar("Peeked")


@dataclass(frozen=True)
class Group:
    """Files of one source that have the same raw columns, and are read together; text without a line has no column."""

    columns: tuple[str, ...]
    files: list[SourceFile]
    rows: DataFrame = field(compare=False, repr=False)  # all of them, as `scan` gives them
    absent: tuple[str, ...] = ()  # columns that expressions read and other files have, which are null here

    def has_columns(self, source: SourceConfig) -> bool:
        """Whether its rows can be parsed; JSON can, even where no line in the beginning of a file is an object."""
        return bool(self.columns) or source.format == "json"

    def parsed(self, source: SourceConfig) -> DataFrame:
        """All rows, as `parse` gives them, with nulls in the columns that are absent."""
        nothing = F.lit(None).cast("string") if source.is_text else F.lit(None)
        return parse(self.rows, source, self.columns).withColumns(dict.fromkeys(self.absent, nothing))


def headers(
    spark: SparkSession, name: str, source: SourceConfig, files: Sequence[SourceFile], has_more: bool = False
) -> tuple[list[Group], list[Unreadable]]:
    """The files by their raw columns, and those that cannot be read. JSON files are one group, of the columns in use.

    Raises InputError where a column that an expression reads is in none of the files; the message lists what is there.
    `has_more` tells that other files of the source were read before: then only what the log table cannot do without
    must be there.
    """
    unreadable: list[Unreadable] = []
    if source.is_table:
        groups = [_typed_group(spark, source, files)]
    elif source.is_text:
        groups, unreadable = _text_groups(spark, name, source, files, has_more)
    else:
        groups, unreadable = _typed_groups(spark, source, files)
    if source.format == "json":
        return groups, unreadable
    seen = [(group.columns, group.files[0].path) for group in groups if group.columns]
    missing = _missing(name, source, seen, has_more)
    return [replace(group, absent=_absent(group.columns, missing)) for group in groups], unreadable


def _absent(columns: Sequence[str], missing: Collection[str]) -> tuple[str, ...]:
    there = {column.lower() for column in columns}
    return tuple(column for column in sorted(missing) if column.lower() not in there) if columns else ()


def without(group: Group, spark: SparkSession, source: SourceConfig, paths: Collection[str]) -> Group:
    """The group without the files of those paths, which are not all that it has."""
    left = [file for file in group.files if file.path not in paths]
    if len(left) == len(group.files):
        return group
    return replace(_group(spark, source, group.columns, left), absent=group.absent)


def referenced(source: SourceConfig) -> tuple[str, ...]:
    """The raw columns that any expression of the source reads, in alphabetical order."""
    return tuple(sorted({column for _, text in source.expressions() for column in columns_of(text)}))


def header_of(line: str, options: Mapping[str, str | bool]) -> tuple[str, ...]:
    """The names in a csv header; an empty one is called after its place, as `_c2`."""
    text = _one_sign(line.removeprefix(MARK), options)
    return _titles(next(csv.reader([text], **_dialect(options)), []) or [""], options)


def _each(
    files: Sequence[SourceFile], look: Callable[[SourceFile], Peeked | Unreadable], otherwise: str
) -> tuple[list[tuple[SourceFile, Peeked]], list[Unreadable]]:
    """What `look` finds in each file, and the files that cannot be read, why is told by Java or is `otherwise`.

    Several files are looked into at a time. A file counts as unreadable once it failed twice: a network may falter.
    """

    def attempt(file: SourceFile) -> Peeked | Unreadable:
        try:
            return look(file)
        except (PySparkException, Py4JJavaError) as error:
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
    spark: SparkSession, name: str, source: SourceConfig, files: Sequence[SourceFile], has_more: bool
) -> tuple[list[Group], list[Unreadable]]:
    found, unreadable = _each(files, lambda file: _peek(spark, source, file), DAMAGED)
    if source.format == "json":
        _missing(name, source, [(columns, file.path) for file, columns in found if columns], has_more)
    members: dict[tuple[str, ...], list[SourceFile]] = {}
    for file, columns in found:
        members.setdefault(referenced(source) if source.format == "json" else columns, []).append(file)
    return [_group(spark, source, columns, each) for columns, each in members.items()], unreadable


def _group(spark: SparkSession, source: SourceConfig, columns: tuple[str, ...], files: list[SourceFile]) -> Group:
    return Group(columns, files, scan(spark, source, columns, files))


def _peek(spark: SparkSession, source: SourceConfig, file: SourceFile) -> tuple[str, ...] | Unreadable:
    """The columns that a text file shows in as much of its beginning as is needed to see them."""
    look = _fields_in if source.format == "json" else _record_in if source.is_multiline else _header_in
    for beginning in beginnings(spark, file.opened):
        reason = no_text(beginning.content, source)
        if reason is not None:
            return Unreadable(file, reason)
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
    text = beginning.content.decode(encoding(source.options), "replace").removeprefix(MARK)
    signed = _one_sign(text, source.options)
    records = csv.reader(io.StringIO(signed, newline=""), **_dialect(source.options))
    found = list(itertools.islice((record for record in records if record), 2))
    if len(found) < 2 and not beginning.is_whole:
        return None
    if not found or not source.has_header:
        return _numbered(len(found[0])) if found else ()
    return _titles(found[0], source.options)


def _decoded(line: bytes, source: SourceConfig) -> str:
    """The first line as text. Raises ValueError, for a person, where it is none."""
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
        "delimiter": separator(options) if len(separator(options)) == 1 else _ONE_SIGN,
        "quotechar": str(quote) or None,
        "quoting": csv.QUOTE_MINIMAL if quote else csv.QUOTE_NONE,
    }


def _one_sign(text: str, options: Mapping[str, str | bool]) -> str:
    """The text with a single sign in place of a separator of several, which Python's reader does not know."""
    sign = separator(options)
    return text if len(sign) == 1 else text.replace(sign, _ONE_SIGN)


def _titles(names: Sequence[str], options: Mapping[str, str | bool]) -> tuple[str, ...]:
    whole = [name.replace(_ONE_SIGN, separator(options)) for name in names]
    return tuple(name.strip() or f"_c{place}" for place, name in enumerate(whole))


def _numbered(count: int) -> tuple[str, ...]:
    return tuple(f"_c{place}" for place in range(count))


def _fields(line: str) -> list[str]:
    try:
        value = json.loads(line.removeprefix(MARK))
    except ValueError:
        return []
    return list(value) if isinstance(value, dict) else []


def _missing(name: str, source: SourceConfig, seen: Sequence[tuple[Sequence[str], str]], has_more: bool) -> set[str]:
    """The columns that an expression reads and that some files of `seen` (columns and path) lack.

    Raises InputError where a file has such a column twice, and where one is missing that must be there: in each file
    one without which no row can be accepted, in any file another, but for `has_more`. A JSON object may leave any out.
    """
    is_json = source.is_text and source.format == "json"
    spelling = str if is_json else str.lower
    missing: set[str] = set()
    for key, text in source.expressions():
        is_required = key.removeprefix("columns.") in REQUIRED[name]
        for column in sorted(columns_of(text)):
            counts = [list(map(spelling, there)).count(spelling(column)) for there, _ in seen]
            without_it = [place for place, times in enumerate(counts) if times == 0]
            is_needed = is_required and text.strip().strip("`") == column  # not one of several that may stand in
            in_each = is_needed and not is_json
            in_any = is_needed or key == "where" or not has_more
            if max(counts, default=0) > 1:
                path = seen[counts.index(max(counts))][1]
                raise InputError(f"sources.{name}.{key}: {max(counts)} columns {column} in {path}; rename all but one")
            if without_it and (in_each or (in_any and len(without_it) == len(seen))):
                there, path = seen[without_it[0]]
                told = ", ".join(there) or "none"
                raise InputError(f"sources.{name}.{key}: no column {column} in {path}; it has: {told}")
            missing |= {column} if without_it else set()
    return missing
