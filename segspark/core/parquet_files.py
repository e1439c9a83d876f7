"""Parquet files that Spark wrote, as actions of a Delta log: size, rows and column statistics from their footers."""

import json
import math
import time
from collections.abc import Iterable, Iterator, Mapping
from datetime import date, datetime, timedelta, timezone
from pathlib import Path
from typing import Any
from urllib.parse import quote

import pyarrow.parquet as pq
from deltalake.transaction import AddAction, RemoveAction

from segspark.core.contract import Contract
from segspark.core.delta_rs import DataFile

LONGEST_TEXT = 32  # characters of a text in statistics: longer ones are left out, as a part of one is no bound


def added_files(
    files: Iterable[Path], below: Path, contract: Contract, run_id: str | None
) -> tuple[list[AddAction], int]:
    """The files, to be added to the table at `below`, and how many rows they have; empty ones are removed.

    `run_id` is the partition that they belong to, where the table has partitions.
    """
    actions, rows = [], 0
    for path in files:
        if count := pq.read_metadata(path).num_rows:
            actions.append(added_file(path, below, run_id, contract))
            rows += count
        else:
            path.unlink()
    return actions, rows


def added_file(path: Path, below: Path, run_id: str | None, contract: Contract) -> AddAction:
    """A file, to be added to the table at `below`."""
    return AddAction(
        path=quote(path.relative_to(below).as_posix(), safe="/=:"),
        size=path.stat().st_size,
        partition_values={} if run_id is None else {"run_id": run_id},
        modification_time=_now(),
        data_change=True,
        stats=json.dumps(_statistics(pq.read_metadata(path), set(contract.measured))),
    )


def removed_file(file: DataFile) -> RemoveAction:
    """A file that is no longer part of its table."""
    partition: dict[str, str | None] = {} if file.run_id is None else {"run_id": file.run_id}
    return RemoveAction(quote(file.path, safe="/=:"), True, _now(), file.size, partition)


def _statistics(footer: pq.FileMetaData, wanted: set[str]) -> dict[str, Any]:
    """As Delta's protocol has them: rows, and for each column least and greatest value and how many are null."""
    least: dict[str, Any] = {}
    greatest: dict[str, Any] = {}
    nulls: dict[str, int] = {}
    incomplete: set[str] = set()
    for name, found in _column_chunks(footer, wanted):
        if found is None or not found.has_null_count:
            incomplete.add(name)
            continue
        nulls[name] = nulls.get(name, 0) + found.null_count
        bounds = _bounds_of(found)
        if bounds is not None:
            least[name] = min(least.get(name, bounds[0]), bounds[0])
            greatest[name] = max(greatest.get(name, bounds[1]), bounds[1])
        elif found.num_values:
            incomplete.add(name)
    known = {name for name in nulls if name not in incomplete}
    return {
        "numRecords": footer.num_rows,
        "minValues": _bounds(least, known, is_upper=False),
        "maxValues": _bounds(greatest, known, is_upper=True),
        "nullCount": {name: count for name, count in nulls.items() if name in known},
    }


def _column_chunks(footer: pq.FileMetaData, wanted: set[str]) -> Iterator[tuple[str, Any]]:
    for group in range(footer.num_row_groups):
        for place in range(footer.num_columns):
            chunk = footer.row_group(group).column(place)
            if chunk.path_in_schema in wanted:
                yield chunk.path_in_schema, chunk.statistics


def _bounds_of(found: Any) -> tuple[Any, Any] | None:
    """Least and greatest value of a column chunk; None where there is none, or Python has no such time."""
    if not found.has_min_max:
        return None
    try:
        return found.min, found.max
    except (ValueError, OverflowError):
        return None


def _bounds(values: Mapping[str, Any], known: set[str], is_upper: bool) -> dict[str, Any]:
    told = {name: _bound(value, is_upper) for name, value in values.items() if name in known}
    return {name: value for name, value in told.items() if value is not None}


def _bound(value: Any, is_upper: bool) -> Any:
    """A value as the log has it, times in whole milliseconds; None for one that is no bound."""
    if isinstance(value, datetime):
        utc = value.astimezone(timezone.utc) if value.tzinfo else value
        if is_upper and utc.microsecond % 1000:
            utc += timedelta(milliseconds=1)
        return utc.strftime("%Y-%m-%dT%H:%M:%S.") + f"{utc.microsecond // 1000:03d}Z"
    if isinstance(value, date):
        return value.isoformat()
    if isinstance(value, str):
        return value if len(value) <= LONGEST_TEXT else None
    if isinstance(value, float):
        return value if math.isfinite(value) else None
    return value if isinstance(value, int) else None


def _now() -> int:
    return int(time.time() * 1000)
