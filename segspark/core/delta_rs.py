"""Delta tables of a folder or URL through delta-rs: their log, and the rows of driver-sized tables, without Spark.

A commit takes some 20 milliseconds where Spark takes one to three seconds, and what a table's log says is known without
a Spark execution.
"""

import json
import math
import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any
from urllib.parse import unquote

import pyarrow as pa
import pyarrow.dataset as ds
from deltalake import CommitProperties, DeltaTable, Field, Schema, write_deltalake
from deltalake.exceptions import CommitFailedError, DeltaError, TableNotFoundError
from deltalake.transaction import AddAction, RemoveAction
from pyarrow import fs

from segspark.core.arrow_rows import Row, arrow_schema, from_arrow, stored_columns, to_arrow
from segspark.core.contract import Column, Contract
from segspark.core.delta_log import DeltaLog
from segspark.core.errors import LakeError
from segspark.core.log_tables import PUBLICATIONS

UNKNOWN_SCHEME = "Unknown scheme"  # how delta-rs begins to say that it does not know the kind of URL
ONCE = CommitProperties(max_commit_retries=0)  # fails where anybody else committed since the table was looked at


@dataclass(frozen=True)
class DataFile:
    """One data file that a table's newest version names."""

    path: str  # below the table's folder
    size: int  # bytes
    rows: int
    run_id: str | None  # of a run table
    first_day: Any = None  # the least `day` in it, where the statistics tell
    last_day: Any = None


class DeltaRs(DeltaLog):
    """The tables below one root, by name. Each look is at the newest version."""

    # --- the log ---

    def create(self, contract: Contract, properties: Mapping[str, str]) -> None:
        """Makes the table where it is not there."""
        DeltaTable.create(
            self.place(contract.name),
            Schema.from_arrow(arrow_schema(stored_columns(contract))),
            mode="ignore",
            partition_by=list(contract.partition_by) or None,
            description=f"One row is {contract.grain}.",
            configuration=dict(properties),
        )

    def spark_schema(self, name: str) -> dict[str, Any]:
        """The table's schema as Spark's JSON, in which Delta keeps it."""
        found: dict[str, Any] = json.loads(self.table(name).schema().to_json())
        return found

    def partitions(self, name: str) -> list[str]:
        """The columns that the table is partitioned by."""
        return list(self.table(name).metadata().partition_columns)

    def add_columns(self, name: str, columns: Sequence[Column]) -> None:
        """Columns that the contract or an open contract gained; rows that are there have none of them."""
        fields = [Field.from_arrow(field) for field in arrow_schema(columns)]
        self.table(name).alter.add_columns(fields)

    def files(self, name: str) -> list[DataFile]:
        """The data files of the newest version."""
        actions = pa.table(self.table(name).get_add_actions(flatten=True))
        columns = {column: actions[column].to_pylist() for column in actions.column_names}
        nothing = [None] * actions.num_rows
        of_partition = columns.get("partition.day", nothing)  # as earlier versions laid tables out
        return [
            DataFile(unquote(path), size, rows or 0, run_id, first, last)
            for path, size, rows, run_id, first, last in zip(
                columns["path"],
                columns["size_bytes"],
                columns.get("num_records", nothing),
                columns.get("partition.run_id", nothing),
                columns.get("min.day", of_partition),
                columns.get("max.day", of_partition),
                strict=True,
            )
        ]

    def commit(self, name: str, added: Sequence[AddAction], removed: Sequence[RemoveAction] = ()) -> None:
        """Makes these files part of the table, and takes those out of it, in one transaction.

        Raises LakeError where somebody else took out one of the same files meanwhile.
        """
        table = self.table(name)
        partitions = table.metadata().partition_columns
        try:
            table.create_write_transaction([*added, *removed], "append", table.schema(), partitions or None)
        except CommitFailedError as error:
            raise LakeError(
                f"{name}: somebody else wrote the same rows at the same moment and won; look at `segspark status`, then"
                " `segspark run --resume`"
            ) from error

    # --- rows on the driver ---

    def rows(self, contract: Contract, run_id: str | None = None) -> list[Row]:
        """All rows of a table, or those of one run without `run_id`; columns that it lacks are null."""
        dataset = self.table(contract.name).to_pyarrow_dataset(filesystem=self._arrow_files(contract.name))
        there = set(dataset.schema.names)
        wanted = [c for c in stored_columns(contract) if not (run_id is not None and c.name == "run_id")]
        is_of_run = ds.field("run_id") == run_id if run_id is not None else None
        found = dataset.to_table(columns=[c.name for c in wanted if c.name in there], filter=is_of_run)
        return from_arrow(_with_nulls(found, wanted))

    def append_rows(self, contract: Contract, rows: Iterable[Mapping[str, Any]], if_count: int | None = None) -> bool:
        """Adds the rows; with `if_count` only where the table still has so many. Whether they were added."""
        # A handle of its own: others in this process would move a shared one on between the look and the commit.
        table = self.table(contract.name) if if_count is None else DeltaTable(self.place(contract.name))
        if if_count is not None and table.count() != if_count:
            return False
        content = _as_there(to_arrow(contract, rows), table)
        properties = None if if_count is None else ONCE
        try:
            write_deltalake(
                table, content, mode="append", schema_mode=_gained(content, table), commit_properties=properties
            )
        except CommitFailedError:
            if if_count is None:
                raise
            return False
        return True

    def replace_rows(self, contract: Contract, rows: Iterable[Mapping[str, Any]], run_id: str) -> int:
        """Writes the run's rows in place of what it wrote before; returns how many."""
        table = self.table(contract.name)
        content = _as_there(to_arrow(contract, rows, run_id), table)
        if content.num_rows == 0:
            self.delete_runs(contract.name, [run_id])
            return 0
        write_deltalake(
            table,
            content,
            mode="overwrite",
            predicate=f"run_id = '{run_id}'",
            schema_mode=_gained(content, table),
        )
        return int(content.num_rows)

    def delete_runs(self, name: str, run_ids: Iterable[str]) -> None:
        """Removes the rows of those runs: whole files, whose names the log forgets."""
        there = set(run_ids) & {file.run_id for file in self.files(name)}
        listed = ", ".join(f"'{run_id}'" for run_id in sorted(map(str, there)))
        if listed:
            self.table(name).delete(f"run_id IN ({listed})")

    def vacuum(self, name: str, hours: float) -> None:
        """Removes files that no version of the last `hours` needs, and those that an interrupted write left."""
        self.table(name).vacuum(
            retention_hours=math.ceil(hours), dry_run=False, enforce_retention_duration=False, full=True
        )

    def _arrow_files(self, name: str) -> fs.FileSystem | None:
        """The table's folder as Arrow itself reads it: through delta-rs it would ask Python for each block, also at the
        end of the process, when Python is gone. None below a URL, which only delta-rs can reach.
        """
        return None if "://" in self.root else fs.SubTreeFileSystem(self.place(name), fs.LocalFileSystem())


def _as_there(content: pa.Table, table: DeltaTable) -> pa.Table:
    """The rows without comments on columns that the table has: they stay as an earlier version wrote them."""
    there = {field.name for field in table.schema().fields}
    fields = [field.remove_metadata() if field.name in there else field for field in content.schema]
    return content.cast(pa.schema(fields))


def _gained(content: pa.Table, table: DeltaTable) -> Any:
    """How a write must treat the schema: merge it where rows have columns, or parts of such, that the table lacks."""
    there = {field.name: _names(field) for field in table.schema().fields}
    here = {field.name: _names(Field.from_arrow(field)) for field in content.schema}
    return "merge" if any(names - there.get(name, set()) for name, names in here.items()) else None


def _names(field: Field) -> set[str]:
    """The name of a column, and those of all fields inside of it."""
    return set(re.findall(r'"name": ?"([^"]+)"', field.to_json()))


def problem_with(root: str) -> str | None:
    """Why delta-rs cannot read and write tables below a URL, in one line; None where it can."""
    try:
        DeltaTable(f"{root}/{PUBLICATIONS.name}")
    except TableNotFoundError as error:
        return _first_line(error) if UNKNOWN_SCHEME in str(error) else None
    except (DeltaError, OSError, ValueError) as error:
        return _first_line(error)
    return None


def _first_line(error: Exception) -> str:
    return str(error).strip().splitlines()[0][:200]


def _with_nulls(table: pa.Table, columns: Sequence[Column]) -> pa.Table:
    """The columns in order; those that the table lacks are null."""
    schema = arrow_schema(columns)
    arrays = [
        table[field.name].cast(field.type) if field.name in table.column_names else pa.nulls(table.num_rows, field.type)
        for field in schema
    ]
    return pa.table(arrays, schema=schema)
