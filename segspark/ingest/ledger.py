"""The ledger's side of reading: which files are new, and whether every row of a file is accounted for."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta, timezone
from typing import Any

from segspark.core.errors import InputError, SegsparkError
from segspark.ingest.files import SourceFile

EPOCH = datetime(1970, 1, 1, tzinfo=timezone.utc)
EMPTY = (0, "0-0-0")  # rows and digest of a file without any


@dataclass(frozen=True)
class Entry:
    """What the ledger knows of a file that was read."""

    size: int  # bytes
    modified: int  # microseconds since 1970
    digest: str
    mapping_digest: str
    rows_in: int = 0
    ingest_seq: int = 0
    problem: str | None = None  # why it could not be read
    accepted: int = 0


@dataclass(frozen=True)
class FileEntry:
    """One row of the ledger: a file of a source, as it was once read."""

    source: str
    path: str
    entry: Entry


def read_before(rows: Iterable[Any]) -> list[FileEntry]:
    """The ledger, oldest first, from the rows of `source_files`."""

    def entry(row: Any) -> Entry:
        modified = (row.modified_at - EPOCH) // timedelta(microseconds=1)
        counts = (row.rows_in, row.ingest_seq, row.problem, row.accepted)
        return Entry(row.size, modified, row.digest, row.mapping_digest, *counts)

    return sorted((FileEntry(row.source, row.path, entry(row)) for row in rows), key=lambda each: each.entry.ingest_seq)


def newest_entries(read_before: Sequence[FileEntry], source: str) -> dict[str, Entry]:
    """By path what the ledger, oldest first, knows of a source's files."""
    return {each.path: each.entry for each in read_before if each.source == source}


def superseded(read_before: Sequence[FileEntry]) -> list[int]:
    """Numbers of files that could not be read and were read again since; an interruption left them in the ledger."""
    newest = {(each.source, each.path): each.entry.ingest_seq for each in read_before}
    return [
        each.entry.ingest_seq
        for each in read_before
        if each.entry.problem is not None and each.entry.ingest_seq < newest[each.source, each.path]
    ]


@dataclass(frozen=True)
class Listing:
    """A source's files: those to read, and those whose content must be looked at to know that it did not change.

    `again` are numbers in the ledger: of new files that could not be read before. `left_out` are those that still
    cannot: a file that could not be read is looked at again when its size, its time or the mapping is another.
    """

    new: list[SourceFile] = field(default_factory=list)
    touched: list[SourceFile] = field(default_factory=list)
    again: list[int] = field(default_factory=list)
    left_out: list[SourceFile] = field(default_factory=list)


@dataclass(frozen=True)
class Account:
    """What became of one file's rows."""

    file: SourceFile
    digest: str
    rows_in: int
    accepted: int
    quarantined: int
    filtered: int
    repeated: int
    ingest_seq: int
    problem: str | None = None  # why it could not be read


def sort_out(
    name: str, files: Sequence[SourceFile], known: Mapping[str, Entry], mapping_digest: str | None, is_table: bool
) -> Listing:
    """Which of the files to read. A known file has the path, size and time of one in the ledger.

    Raises InputError where files were read under another mapping (unless `mapping_digest` is None), and where a table
    no longer has files that were read from it, or shows other rows of them.
    """
    listed = {file.path for file in files}
    gone = sorted(path for path in known if path not in listed) if is_table else []
    if gone:
        raise InputError(
            f"sources.{name}: the table was rewritten since it was read ({len(gone)} of its files are gone, by"
            " OPTIMIZE, UPDATE, DELETE or MERGE), so its new rows cannot be told from the old; read it into a new lake"
        )
    sound = {path: entry for path, entry in known.items() if entry.problem is None}
    for file in files:
        if file.path in sound and file.rows is not None and file.rows != sound[file.path].rows_in:
            raise InputError(
                f"sources.{name}: rows of the table were deleted or changed since it was read, by DELETE, UPDATE or"
                f" MERGE ({file.path} showed {sound[file.path].rows_in:,} rows and shows {file.rows:,} now), and the"
                " lake still has them as they were; read it into a new lake"
            )
    other = [p for p in sorted(listed & sound.keys()) if mapping_digest not in (None, sound[p].mapping_digest)]
    if other:
        raise InputError(
            f"sources.{name}: the mapping (format, options, where, columns) or a bound of `ingest` changed since"
            f" {len(other)} files were read, as {other[0]}; restore it, or set `lake` to a new folder to read them anew"
        )
    bad = known.keys() - sound.keys()
    left_out = [file for file in files if file.path in bad and _is_same(file, known[file.path], mapping_digest)]
    new = [file for file in files if file.path not in sound and file not in left_out]
    touched = [file for file in files if file.path in sound and not _is_same(file, sound[file.path])]
    again = [known[file.path].ingest_seq for file in new if file.path in known]
    return Listing(new, touched, again, left_out)


def refuse_changed(name: str, path: str, before: str, now: str) -> None:
    """Raises InputError where a file that was read has another content now."""
    if before != now:
        raise InputError(
            f"sources.{name}: {path} was read before and has another content now (rows then {before.split('-')[0]}, now"
            f" {now.split('-')[0]}); restore it and put new or corrected rows in a file of their own, or set `lake` to"
            " a new folder to read all files anew"
        )


def settle(name: str, accounts: Sequence[Account]) -> None:
    """Raises SegsparkError where rows in are not accepted + quarantined + filtered."""
    for account in accounts:
        out = account.accepted + account.quarantined + account.filtered
        if account.rows_in != out:
            raise SegsparkError(
                f"sources.{name}: {account.file.path} has {account.rows_in} rows, but {account.accepted} accepted +"
                f" {account.quarantined} quarantined + {account.filtered} filtered are {out}; nothing of it counts;"
                " run again, and report this if it comes back"
            )


def settle_write(name: str, table: str, counted: int, written: int) -> None:
    """Raises SegsparkError where a write had other rows than were counted for it: a join lost or doubled some.

    The next run removes what was written.
    """
    if written != counted:
        raise SegsparkError(
            f"sources.{name}: {counted} rows were to go to {table}, but {written} were written; nothing of them counts;"
            " run again, and report this if it comes back"
        )


def told_of(name: str, accounts: Sequence[Account]) -> list[str]:
    """What a person is told of a source's new files."""
    accepted = sum(account.accepted for account in accounts)
    quarantined = sum(account.quarantined for account in accounts)
    filtered = sum(account.filtered for account in accounts)
    return [
        f"{name}: {accepted:,} rows accepted, {quarantined:,} quarantined, {filtered:,} filtered",
        *(f"{name}: {each.file.path} is left out: {each.problem}" for each in accounts if each.problem is not None),
    ]


def entries(name: str, accounts: Sequence[Account], mapping_digest: str, now: datetime) -> list[dict[str, object]]:
    """One row of `source_files` for each account."""
    return [
        {
            "source": name,
            "path": account.file.path,
            "size": account.file.size,
            "modified_at": EPOCH + timedelta(microseconds=account.file.modified),
            "digest": account.digest,
            "mapping_digest": mapping_digest,
            "rows_in": account.rows_in,
            "accepted": account.accepted,
            "quarantined": account.quarantined,
            "filtered": account.filtered,
            "repeated": account.repeated,
            "ingest_seq": account.ingest_seq,
            "read_at": now,
            "problem": account.problem,
        }
        for account in accounts
    ]


def whole_files(name: str, accounts: Sequence[Account], now: datetime) -> list[dict[str, object]]:
    """One row of `quarantine`, of line 0, for each file that could not be read."""
    return [
        {
            "source": name,
            "file": account.file.path,
            "line": 0,
            "reason": account.problem,
            "raw": None,
            "seen_at": now,
            "ingest_seq": account.ingest_seq,
        }
        for account in accounts
        if account.problem is not None
    ]


def _is_same(file: SourceFile, entry: Entry, mapping_digest: str | None = None) -> bool:
    is_same_mapping = mapping_digest in (None, entry.mapping_digest)
    return is_same_mapping and (file.size, file.modified) == (entry.size, entry.modified)
