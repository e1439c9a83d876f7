"""What to read: a source's new files by their raw columns, after all that is checked before the first row is kept."""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from statistics import median

from py4j.protocol import Py4JJavaError
from pyspark.errors import PySparkException
from pyspark.sql import SparkSession

from segspark.ingest import reading, unreadable
from segspark.ingest.config import IngestConfig, SourceConfig, mapping_digest
from segspark.ingest.files import SourceFile, list_files, told_where_damaged
from segspark.ingest.headers import Group, each_alone, headers
from segspark.ingest.ledger import EMPTY, Entry, Listing, refuse_changed, sort_out
from segspark.ingest.mapping import check_expressions
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

    @property
    def files(self) -> list[SourceFile]:
        """All files, in the order of their paths."""
        every = [file for group in self.groups for file in group.files] + [each.file for each in self.unreadable]
        return sorted(every, key=lambda file: file.path)


def plan(
    spark: SparkSession, name: str, source: SourceConfig, config: IngestConfig | None, known: Mapping[str, Entry]
) -> Plan:
    """The source's new files. Raises InputError where the source cannot be used, or a file of the ledger changed."""
    files = list_files(spark, name, source)
    digest = mapping_digest(source, config) if config else None
    listing = sort_out(name, files, known, digest, source.is_table)
    _check_touched(spark, name, source, listing, known)
    groups, found = headers(spark, name, source, listing.new) if listing.new else ([], [])
    if config and config.bad_files == "fail":
        unreadable.refuse(name, [*found, *(Unreadable(f, known[f.path].problem or "") for f in listing.left_out)])
    for group in groups:
        if group.columns or source.format == "json":
            rows = reading.parse(reading.scan(spark, source, group.columns, group.files), source, group.columns)
            check_expressions(rows, name, source)
    return Plan(groups, found, listing.again)


def read_through(
    spark: SparkSession,
    name: str,
    source: SourceConfig,
    config: IngestConfig,
    planned: Plan,
    known: Mapping[str, Entry],
) -> Plan:
    """The plan with each file's content, after one pass that parses nothing; files that break in it are set aside.

    So no row is kept of a file that cannot be read to its end. Raises InputError for such a file where `bad_files` is
    `fail`, or where it belongs to a table.
    """
    found: dict[str, Content] = {}
    broken = []
    for group in planned.groups:
        contents, bad = _contents(spark, name, source, group)
        found |= contents
        broken += bad
    if config.bad_files == "fail":
        unreadable.refuse(name, broken)
    bad_paths = {each.file.path for each in broken}
    sound = [Group(g.columns, [file for file in g.files if file.path not in bad_paths]) for g in planned.groups]
    size = _bytes_per_row(known, [file for group in sound for file in group.files], found)
    return replace(
        planned,
        groups=[group for group in sound if group.files],
        unreadable=[with_rows(each, size) for each in [*planned.unreadable, *broken]],
        contents=found,
    )


def _contents(
    spark: SparkSession, name: str, source: SourceConfig, group: Group
) -> tuple[dict[str, Content], list[Unreadable]]:
    """Each file's content. Where the common pass breaks, each file is read alone, to tell the sound from the broken."""

    def of(files: list[SourceFile]) -> dict[str, Content]:
        rows = reading.content_of(reading.scan(spark, source, group.columns, files)).collect()
        return {row["__url"]: (row.rows, row.digest) for row in rows}

    try:
        with told_where_damaged(name, source):
            return of(group.files), []
    except (PySparkException, Py4JJavaError) as error:
        if reason_of(error) is None:
            raise
    alone, broken = each_alone(group.files, lambda file: of([file]))
    contents = {url: content for _, found in alone for url, content in found.items()}
    if source.is_text:
        return contents, broken
    return contents, [replace(each, rows=_rows_in_footer(spark, each.file)) for each in broken]


def _rows_in_footer(spark: SparkSession, file: SourceFile) -> int:
    return spark.read.parquet(*reading.escaped([file.path])).count()


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
    groups, found = headers(spark, name, source, listing.touched)
    for group in groups:
        contents, broken = _contents(spark, name, source, group)
        found += broken
        for file in (file for file in group.files if file not in [each.file for each in broken]):
            refuse_changed(name, file.path, known[file.path].digest, contents.get(file.url, EMPTY)[1])
    for each in found:
        refuse_changed(name, each.file.path, known[each.file.path].digest, _GONE)
