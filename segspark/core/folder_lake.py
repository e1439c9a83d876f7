"""A lake in a folder, read without Spark: delta-rs says which files a table is, DuckDB reads them.

DuckDB's own Parquet reader is given the files. Arrow's data sets, which delta-rs offers too, take half a second to
import; and where one still reads ahead when the process ends, it calls Python when that is gone, and the process hangs
or crashes in place of ending with its code. The log leaves out the files of other runs and of other buckets of users.
"""

from __future__ import annotations

import tempfile
from collections.abc import Collection, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from string import Formatter
from typing import Any
from urllib.parse import urlsplit

import duckdb
import sqlglot
from deltalake import DeltaTable
from deltalake.exceptions import DeltaError
from sqlglot import exp

from segspark.core.contract import USER_BUCKETS, Contract, stored_columns
from segspark.core.contracts import PUBLICATIONS, TABLES
from segspark.core.delta_log import DeltaLog
from segspark.core.duckdb_sql import Selection, duckdb_type, parquet, pattern, quoted, shown_column, texts
from segspark.core.errors import LakeError
from segspark.core.reader import Row, row_of
from segspark.core.xxhash64 import xxhash64

ALONE = {  # what a connection never needs: it reads files by their names, and nothing is fetched
    "autoinstall_known_extensions": "false",
    "autoload_known_extensions": "false",
    "allow_community_extensions": "false",
}


@dataclass(frozen=True)
class Relation:
    """A SELECT in DuckDB's SQL that gives a table's rows, and the files that it reads."""

    sql: str
    files: tuple[str, ...]


class FolderLake:
    """All tables below one folder, for readers. Each look at a table is at its newest version."""

    def __init__(self, root: str) -> None:
        self.root = str(Path(root).absolute())
        self._log = DeltaLog(self.root)
        self._spills = tempfile.TemporaryDirectory(prefix="segspark-")

    def path(self, name: str) -> str:
        """A place beside the tables for what is no table: models, the report."""
        return f"{self.root}/{name}"

    def exists(self, contract: Contract) -> bool:
        """Whether the table was ever written."""
        return self._log.exists(contract.name)

    def columns(self, contract: Contract) -> list[str]:
        """The columns that the table has; none where it was never written."""
        with _told(contract.name):
            return self._log.columns(contract.name) if self.exists(contract) else []

    # --- rows ---

    def rows(self, contract: Contract) -> list[Row]:
        """All rows of a driver-sized table; times are UTC."""
        return self._fetched(contract, self.relation(contract))

    def rows_of_run(self, contract: Contract, run_id: str) -> list[Row]:
        """One run's rows of a driver-sized run table, without `run_id`."""
        return self._fetched(contract, self.relation(contract, [run_id]), without="run_id")

    def rows_of_user(self, contract: Contract, run_id: str, user_id: str) -> list[Row]:
        """One user's rows of a run table, without `run_id`. Files that hold other buckets only are not opened."""
        bucket = xxhash64(user_id.encode()) % USER_BUCKETS
        of_bucket = self.relation(contract, [run_id], bucket)
        return self._fetched(contract, of_bucket, without="run_id", where="user_id = $user_id", user_id=user_id)

    def published_run(self) -> str | None:
        """The run that readers see; None before the first publication."""
        acts = self.rows(PUBLICATIONS)
        return max(acts, key=lambda act: act.seq).run_id if acts else None

    def select(self, run_id: str, query: str, **values: Any) -> Selection:
        """A SELECT in Spark's SQL, where `{name}` is that table: of a run table the run's rows. `:value` is a value."""
        database = self.database()
        for name in sorted({name for _, name, _, _ in Formatter().parse(query) if name}):
            contract = TABLES[name]
            relation = self.relation(contract, [run_id] if contract.kind == "run" else None)
            database.execute(f"CREATE VIEW {name} AS {relation.sql}")
        tree = sqlglot.parse_one(query.format_map(_Names()), read="spark")
        for place in list(tree.find_all(exp.Placeholder)):
            place.replace(exp.convert(values[place.name]))
        return Selection(database, tree.sql("duckdb"))

    def look_at(self, contract: Contract) -> None:
        """Raises LakeError where the table cannot be read. Of every file the footer is looked at."""
        relation = self.relation(contract)
        with _told(contract.name):
            self._reader.execute(f"{relation.sql} LIMIT 0")

    # --- SQL ---

    def database(self) -> duckdb.DuckDBPyConnection:
        """A database in memory that has no table yet; times are UTC, names in Python mean nothing to it."""
        database = duckdb.connect(config={**ALONE, "temp_directory": self._spills.name})
        database.execute("SET TimeZone = 'UTC'; SET python_enable_replacements = false")
        return database

    def relation(self, contract: Contract, run_ids: Sequence[str] | None = None, bucket: int | None = None) -> Relation:
        """The table's rows, all or of those runs, with a null in each column that it lacks; times are without a zone.

        With `bucket` only from files that may hold users of that bucket. Raises LakeError where DuckDB cannot read the
        table's files as they are.
        """
        with _told(contract.name):
            table = self._log.table(contract.name) if self.exists(contract) else None
            there = {} if table is None else dict.fromkeys(field.name for field in table.schema().fields)
            files = [] if table is None or run_ids == [] else self._files(contract, table, run_ids, bucket)
        known = {column.name: column.type for column in stored_columns(contract)}
        types = {name: known.get(name, contract.open_type or "string") for name in [*there, *known]}
        if table is None or not files:
            empty = ", ".join(f"CAST(NULL AS {duckdb_type(of)}) AS {quoted(name)}" for name, of in types.items())
            return Relation(f"SELECT {empty} WHERE false", ())
        shown = ", ".join(shown_column(name, of, name in there) for name, of in types.items())
        partitions = {name: types[name] for name in table.metadata().partition_columns}
        where = "true" if run_ids is None else f"run_id IN ({texts(run_ids)})"
        return Relation(f"SELECT {shown} FROM {parquet(files, partitions)} WHERE {where}", tuple(files))

    def _files(
        self, contract: Contract, table: DeltaTable, run_ids: Sequence[str] | None, bucket: int | None
    ) -> list[str]:
        """The data files, without those that the log tells to hold no such rows."""
        if table.protocol().min_reader_version > 1:
            raise LakeError(
                f"{contract.name}: its files do not hold the rows as they are (deletion vectors, renamed columns); ask"
                " with --engine spark"
            )
        wanted = [] if run_ids is None else [f"run_id IN ({texts(run_ids)})"]
        wanted += [] if bucket is None else [f"user_bucket = {bucket}"]
        place = urlsplit(table.table_uri).path  # with escapes, as in the names of the files
        found = table.file_uris(file_pruning_predicate=" AND ".join(wanted) or None)
        return [f"{self.root}/{contract.name}/{uri.removeprefix(place)}" for uri in found]

    @cached_property
    def _reader(self) -> duckdb.DuckDBPyConnection:
        return self.database()

    def _fetched(
        self, contract: Contract, relation: Relation, without: str = "", where: str = "true", **values: Any
    ) -> list[Row]:
        with _told(contract.name):
            result = self._reader.execute(f"SELECT * FROM ({relation.sql}) WHERE {where}", values or None)
            names = [column[0] for column in result.description or ()]
            rows = [row_of(dict(zip(names, row, strict=True))) for row in result.fetchall()]
        for row in rows:
            row.pop(without, None)
        return rows


class _Names(dict[str, str]):
    """Each name stands for itself."""

    def __missing__(self, name: str) -> str:
        return name


def lock(database: duckdb.DuckDBPyConnection, relations: Collection[Relation]) -> None:
    """From now on the database reads the relations' files and nothing else, and no setting can be changed."""
    files = {path for relation in relations for path in relation.files}
    database.execute(f"SET allowed_paths = [{texts(sorted(files | set(map(pattern, files))))}]")
    database.execute("SET enable_external_access = false; SET lock_configuration = true")


@contextmanager
def _told(table: str) -> Iterator[None]:
    """One line, with what to do, where delta-rs or DuckDB cannot read a table."""
    try:
        yield
    except (DeltaError, duckdb.Error, OSError) as error:
        first = str(error).strip().splitlines()[0][:300]
        raise LakeError(
            f"{table}: cannot be read without Spark ({first}); ask again, where a run was removed meanwhile, or with"
            " --engine spark"
        ) from error
