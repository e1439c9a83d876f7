"""What to read: a source's new files by their raw columns, after all that is checked before the first row is kept."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import reduce
from statistics import median

from py4j.protocol import Py4JJavaError
from pyspark.errors import PySparkException
from pyspark.sql import DataFrame, SparkSession
from pyspark.sql import functions as F

from segspark.ingest import reading, unreadable
from segspark.ingest.archives import unpacked
from segspark.ingest.config import IngestConfig, SourceConfig, mapping_digest
from segspark.ingest.files import SourceFile, check_encoding, list_files, told_where_damaged
from segspark.ingest.headers import Group, headers, without
from segspark.ingest.ledger import EMPTY, Entry, Listing, refuse_changed, sort_out
from segspark.ingest.mapping import check_expressions
from segspark.ingest.peek import footer
from segspark.ingest.unreadable import Unreadable, reason_of, with_rows

Content = tuple[int, str]  # rows and digest
_GONE = "none that can be read"  # stands for the digest of a file that was read before and no longer can


@dataclass(frozen=True)
class Plan:
    """One source's new files."""

    groups: list[Group] = field(default_factory=list)
    unreadable: list[Unreadable] = field(default_factory=list)
    again: list[int] = field(default_factory=list)  # numbers in the ledger of files that could not be read before
    contents: dict[str, Content] = field(default_factory=dict)  # by the file's URL; none for a file without rows

    def absent(self, name: str) -> list[str]:
        """What a person is told of columns that some of the source's files lack."""
        files = sum(len(group.files) for group in self.groups)
        lacking: dict[str, list[SourceFile]] = {}
        for group in self.groups:
            for column in group.absent:
                lacking.setdefault(column, []).extend(group.files)
        return [
            f"{name}: {len(those)} of {files} new files have no column {column}, as {those[0].path}; it is null there"
            for column, those in lacking.items()
        ]

    @property
    def files(self) -> list[SourceFile]:
        """All files, in the order of their paths."""
        every = [file for group in self.groups for file in group.files] + [each.file for each in self.unreadable]
        return sorted(every, key=lambda file: file.path)


def plan(
    spark: SparkSession, name: str, source: SourceConfig, config: IngestConfig | None, known: Mapping[str, Entry]
) -> Plan:
    """The source's new files. Raises InputError where the source cannot be used, or a file of the ledger changed."""
    check_encoding(spark, name, source)
    files = list_files(spark, name, source)
    digest = mapping_digest(source, config) if config else None
    listing = sort_out(name, files, known, digest, source.is_table)
    _check_touched(spark, name, source, listing, known)
    has_more = any(entry.problem is None for entry in known.values())
    new, found = unpacked(spark, listing.new)
    groups, broken = headers(spark, name, source, new, has_more) if new else ([], [])
    found += broken
    if config and config.bad_files == "fail":
        unreadable.refuse(name, [*found, *(Unreadable(f, known[f.path].problem or "") for f in listing.left_out)])
    for group in groups:
        if group.has_columns(source):
            check_expressions(group.parsed(source), name, source)
    return Plan(groups, found, listing.again)


def read_through(
    spark: SparkSession,
    plans: Mapping[str, Plan],
    sources: Mapping[str, SourceConfig],
    config: IngestConfig,
    known: Mapping[str, Mapping[str, Entry]],
) -> dict[str, Plan]:
    """The plans with each file's content, after one pass over all sources that parses nothing; broken files set aside.

    So no row is kept of a file that cannot be read to its end. Raises InputError for such a file where `bad_files` is
    `fail`, or where it belongs to a table.
    """
    broken: dict[str, list[Unreadable]] = {name: [] for name in plans}
    try:
        contents = _contents({name: planned.groups for name, planned in plans.items()})
    except (PySparkException, Py4JJavaError) as error:
        if reason_of(error) is None:
            raise
        contents = {}
        for name, planned in plans.items():
            contents[name], broken[name] = _sound(spark, name, sources[name], planned.groups)
            if config.bad_files == "fail":
                unreadable.refuse(name, broken[name])
    return {
        name: _known_content(spark, sources[name], planned, contents.get(name, {}), broken[name], known[name])
        for name, planned in plans.items()
    }


def _known_content(
    spark: SparkSession,
    source: SourceConfig,
    planned: Plan,
    contents: dict[str, Content],
    broken: Sequence[Unreadable],
    known: Mapping[str, Entry],
) -> Plan:
    bad_paths = {each.file.path for each in broken}
    sound = [group for group in planned.groups if any(file.path not in bad_paths for file in group.files)]
    left = [without(group, spark, source, bad_paths) for group in sound]
    size = _bytes_per_row(known, [file for group in left for file in group.files], contents)
    return replace(
        planned,
        groups=left,
        unreadable=[with_rows(each, size) for each in [*planned.unreadable, *broken]],
        contents=contents,
    )


def _contents(groups: Mapping[str, Sequence[Group]]) -> dict[str, dict[str, Content]]:
    """By source and URL each file's content, in one execution."""
    rows = [
        group.rows.select(F.lit(name).alias("__source"), "__url", "__raw")
        for name, of_source in groups.items()
        for group in of_source
    ]
    found: dict[str, dict[str, Content]] = {}
    if rows:
        for row in reading.content_of(reduce(DataFrame.unionByName, rows), ("__source", "__url")).collect():
            found.setdefault(row["__source"], {})[row["__url"]] = (row.rows, row.digest)
    return found


def _sound(
    spark: SparkSession, name: str, source: SourceConfig, groups: Sequence[Group]
) -> tuple[dict[str, Content], list[Unreadable]]:
    """Each file's content, and the files that break. Where a pass breaks, each half of its files is read by itself.

    A file counts as unreadable once it broke twice: a network may falter.
    """
    contents: dict[str, Content] = {}
    broken: list[Unreadable] = []
    waiting = list(groups)
    while waiting:
        group = waiting.pop(0)
        found, reason = _attempt(name, source, group)
        if reason is not None and len(group.files) == 1:
            found, reason = _attempt(name, source, group)
        contents |= found
        if reason is not None and len(group.files) == 1:
            (file,) = group.files
            broken.append(Unreadable(file, reason, None if source.is_text else footer(spark, file.path).rows))
        elif reason is not None:
            first = {file.path for file in group.files[: len(group.files) // 2]}
            rest = {file.path for file in group.files} - first
            waiting += [without(group, spark, source, rest), without(group, spark, source, first)]
    return contents, broken


def _attempt(name: str, source: SourceConfig, group: Group) -> tuple[dict[str, Content], str | None]:
    """The content of each file, or else why one of them cannot be read."""
    try:
        with told_where_damaged(name, source):
            return _contents({name: [group]}).get(name, {}), None
    except (PySparkException, Py4JJavaError) as error:
        reason = reason_of(error)
        if reason is None:
            raise
        return {}, reason


def _bytes_per_row(
    known: Mapping[str, Entry], files: list[SourceFile], contents: Mapping[str, Content]
) -> float | None:
    """The median over the source's files that can be read, now and before; None where they have no rows.

    Not the mean, in which one huge row can weigh more than all others.
    """
    sound = [(entry.size, entry.rows_in) for entry in known.values() if entry.problem is None]
    sound += [(file.size, contents.get(file.url, EMPTY)[0]) for file in files]
    sizes = [size / rows for size, rows in sound if rows]
    return median(sizes) if sizes else None


def _check_touched(
    spark: SparkSession, name: str, source: SourceConfig, listing: Listing, known: Mapping[str, Entry]
) -> None:
    if not listing.touched:
        return
    touched, found = unpacked(spark, listing.touched)
    groups, broken = headers(spark, name, source, touched, has_more=True)
    contents, damaged = _sound(spark, name, source, groups)
    found += broken + damaged
    unread = {each.file.path for each in found}
    for file in (file for file in touched if file.path not in unread):
        refuse_changed(name, file.path, known[file.path].digest, contents.get(file.url, EMPTY)[1])
    for each in found:
        refuse_changed(name, each.file.path, known[each.file.path].digest, _GONE)
