"""Lakes that no Spark wrote: tables of the contracts by delta-rs, for tests of what reads without Spark."""

from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

import pyarrow as pa
from deltalake import write_deltalake

from segspark.core.arrow_rows import arrow_schema
from segspark.core.contract import USER_BUCKETS, Contract, stored_columns
from segspark.core.xxhash64 import xxhash64


def add_rows(
    root: Path | str, contract: Contract, rows: Iterable[Mapping[str, Any]], run_id: str | None = None
) -> None:
    """Adds a file of rows to the table, which is made where it is not there; what a row does not name is null."""
    schema = arrow_schema(stored_columns(contract))
    full = [{"run_id": run_id, "user_bucket": _bucket(row), **row} for row in rows]
    unknown = {name for row in full for name in row} - {*schema.names, "run_id", "user_bucket"}
    assert not unknown, f"{contract.name} has no {unknown}"
    table = pa.Table.from_pylist([{name: row.get(name) for name in schema.names} for row in full], schema)
    write_deltalake(f"{root}/{contract.name}", table, mode="append", partition_by=list(contract.partition_by) or None)


def _bucket(row: Mapping[str, Any]) -> int | None:
    return xxhash64(row["user_id"].encode()) % USER_BUCKETS if row.get("user_id") else None
