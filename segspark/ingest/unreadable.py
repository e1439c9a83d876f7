"""Files that cannot be read: cut off, damaged, not what their format says, or not to be opened."""

from collections.abc import Sequence
from dataclasses import dataclass

from py4j.protocol import Py4JJavaError

from segspark.core.errors import InputError
from segspark.ingest.files import SourceFile

NO_FOOTER = "no whole Parquet file: its end, which tells what is in it, cannot be read"
_CAUSES = (  # what stands in an error or its causes, and what a person is told; the first that fits
    ("Permission denied", "permission to open the file is denied"),
    ("FILE_NOT_EXIST", "the file was gone when it was to be read"),
    ("FileNotFoundException", "the file was gone when it was to be read"),
    ("CANNOT_READ_FILE_FOOTER", NO_FOOTER),
    ("nexpected end of", "the file is cut off: it cannot be read to its end"),
    ("EOFException", "the file is cut off: it cannot be read to its end"),
    ("not a gzip file", "no gzip file, although its name says so"),
)
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


def reason_in_java(error: Py4JJavaError, otherwise: str) -> str:
    """Why a file could not be read by the driver, for a person."""
    return _reason(error, otherwise)


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
