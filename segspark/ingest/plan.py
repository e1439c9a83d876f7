"""What to read: a source's new files by their raw columns, after every check that needs no full read."""

from collections.abc import Mapping

from pyspark.sql import DataFrame, SparkSession

from segspark.ingest import reading
from segspark.ingest.config import IngestConfig, SourceConfig, mapping_digest
from segspark.ingest.files import SourceFile, headers, list_files, told_where_unreadable
from segspark.ingest.ledger import EMPTY, Entry, Listing, refuse_changed, sort_out
from segspark.ingest.mapping import check_expressions

Groups = dict[tuple[str, ...], list[SourceFile]]  # files by the raw columns they have
Contents = dict[str, tuple[int, str]]  # rows and digest by the file's URL; not there for a file without rows


def plan(
    spark: SparkSession, name: str, source: SourceConfig, config: IngestConfig | None, known: Mapping[str, Entry]
) -> Groups:
    """The source's new files. Raises InputError where the source cannot be used, or a file of the ledger changed."""
    files = list_files(spark, name, source)
    digest = mapping_digest(source, config) if config else None
    listing = sort_out(name, files, known, digest, source.is_table)
    _check_touched(spark, name, source, listing, known)
    if not listing.new:
        return {}
    groups = headers(spark, name, source, listing.new)
    columns, members = max(groups.items(), key=lambda group: len(group[0]))
    if columns or source.format == "json":
        rows = reading.parse(reading.scan(spark, source, columns, members), source, columns)
        check_expressions(rows, name, source)
    return groups


def contents(rows: DataFrame, name: str) -> Contents:
    """Rows and digest of each file, by one pass that parses nothing."""
    with told_where_unreadable(name):
        return {row["__url"]: (row.rows, row.digest) for row in reading.content_of(rows).collect()}


def _check_touched(
    spark: SparkSession, name: str, source: SourceConfig, listing: Listing, known: Mapping[str, Entry]
) -> None:
    if not listing.touched:
        return
    for columns, files in headers(spark, name, source, listing.touched).items():
        found = contents(reading.scan(spark, source, columns, files), name)
        for file in files:
            refuse_changed(name, file.path, known[file.path].digest, found.get(file.url, EMPTY)[1])
