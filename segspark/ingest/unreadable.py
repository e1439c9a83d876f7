"""Files that cannot be read: cut off, damaged, not what their format says, or not to be opened."""

import re
from collections.abc import Sequence
from dataclasses import dataclass

from segspark.core.errors import InputError
from segspark.ingest.config import SourceConfig
from segspark.ingest.files import SourceFile, encoding

NO_FOOTER = "no whole Parquet file: its end, which tells what is in it, cannot be read"
_CAUSES = (  # what stands in an error or its causes, and what a person is told; the first that fits
    ("Permission denied", "permission to open the file is denied"),
    ("FILE_NOT_EXIST", "the file was gone when it was to be read"),
    ("FileNotFoundException", "the file was gone when it was to be read"),
    ("Relative path in absolute URI", "the file's name has a colon, with which it cannot be opened; rename it"),
    ("hecksum", "the file is not what the checksum beside it (the hidden .crc) is of; if it is right, remove that one"),
    ("CANNOT_READ_FILE_FOOTER", NO_FOOTER),
    ("nexpected end of", "the file is cut off: it cannot be read to its end"),
    ("EOFException", "the file is cut off: it cannot be read to its end"),
    ("not a gzip file", "no gzip file, although its name says so"),
)
_BEGINNINGS = {  # of files that are no lines of text, and what a person is told
    b"PK\x03\x04": "a zip archive; unpack it, and give the files that were in it",
    b"\x1f\x8b": "a gzip file, although its name does not end in .gz; rename it",
    b"\x28\xb5\x2f\xfd": "a zstd file, although its name does not end in .zst; rename it",
    b"PAR1\x15": "a Parquet file; say format: parquet",
    b"%PDF-": "a PDF; export the table as csv",
    b"\xd0\xcf\x11\xe0": "an Excel workbook; save the sheet as csv",
}
_UTF_16 = (b"\xff\xfe", b"\xfe\xff")  # the same mark in the two orders of UTF-16
DAMAGED = "the file is damaged: it cannot be read to its end"


@dataclass(frozen=True)
class Unreadable:
    """A file that cannot be read, and for how many rows it stands."""

    file: SourceFile
    reason: str  # for a person
    rows: int | None = None  # None where the file does not tell


def reason_of(error: Exception) -> str | None:
    """Why a file could not be read by Spark, for a person; None for an error of another kind."""
    return _reason(error, DAMAGED) if "FAILED_READ_FILE" in str(error) else None


def reason_in_java(error: Exception, otherwise: str) -> str:
    """Why a file could not be read by the driver, for a person."""
    return _reason(error, otherwise)


def no_text(content: bytes, source: SourceConfig) -> str | None:
    """Why bytes that a file begins with are no lines to be read, for a person; None where they may be."""
    for beginning, what in _BEGINNINGS.items():
        if content.startswith(beginning):
            return f"the file is {what}"
    if content[:2] in _UTF_16 and not encoding(source.options).startswith("utf-16"):
        told = ", or set options.multiLine to true and options.encoding to UTF-16" if source.format == "csv" else ""
        return f"the text is UTF-16; save it as UTF-8{told}"
    first = re.match(rb'(?:\xef\xbb\xbf)?"?(sep=[^\r\n"]*)', content, re.IGNORECASE)
    if first and source.format == "csv":
        line = first.group(1).decode("utf-8", "replace")
        return f"the first line is `{line}`, a note for Excel, and no header; take that line away"
    return None


def refuse(name: str, found: Sequence[Unreadable]) -> None:
    """Raises InputError, naming the first, where there is a file that cannot be read."""
    if found:
        first, more = found[0], f" (and {len(found) - 1} more such files)" if len(found) > 1 else ""
        raise InputError(
            f"sources.{name}: {first.file.path}: {first.reason}{more}; put a whole copy in its place, take it away, or"
            " set `ingest.bad_files` to quarantine to go on without it"
        )


def with_rows(found: Unreadable, bytes_per_row: float | None) -> Unreadable:
    """The file with the rows that it stands for: as it tells, else by its size, at least one."""
    if found.rows is not None:
        return found
    rows = max(1, round(found.file.size / bytes_per_row)) if bytes_per_row else 1
    return Unreadable(found.file, found.reason, rows)


def _reason(error: Exception, otherwise: str) -> str:
    text = str(error)
    return next((reason for sign, reason in _CAUSES if sign in text), otherwise)
