"""The only reader and writer of Delta tables.

The lake is a folder, an object-store URL, or `catalog.schema`. A table is made at its first write, from its contract:
comments, partitions, and statistics only on columns that do not identify a person. Readers get an empty frame with the
contract's columns where a table was never written, and nulls in a column that the contract gained since.

Who writes follows from the place. In a folder Spark writes Parquet files and delta-rs commits them
(`folder_frames.py`); rows that the driver has go through delta-rs alone (`delta_rs.py`), also below a URL. In a
catalogue Spark does both (`spark_tables.py`), and so it does below a URL whose credentials only Spark has.
"""

import contextlib
import json
import logging
import shutil
import threading
from collections.abc import Callable, Iterable, Iterator, Mapping
from datetime import date
from pathlib import Path
from string import Formatter
from typing import Any

from delta.exceptions import ConcurrentAppendException
from delta.tables import DeltaTable
from deltalake.exceptions import DeltaError
from py4j.protocol import Py4JError
from pyspark.errors import PySparkException
from pyspark.sql import DataFrame, SparkSession
from pyspark.sql import functions as F

from segspark.core.arrow_rows import Row, from_arrow, stored_columns
from segspark.core.contract import USER_BUCKETS, no_rows
from segspark.core.contracts import PUBLICATIONS, TABLES, Contract, conform, user_bucket
from segspark.core.delta_rs import DeltaRs, problem_with
from segspark.core.errors import LakeError
from segspark.core.extent import Extent
from segspark.core.files import is_catalog, names_in, remove
from segspark.core.folder_frames import FolderFrames
from segspark.core.spark_tables import SparkTables
from segspark.core.xxhash64 import xxhash64

# A look-up reads one file of those that hold its bucket's range: of a gigabyte, as is usual, it would read all.
LOOK_UP_FILES = dict.fromkeys(
    ("spark.databricks.delta.optimize.maxFileSize", "spark.databricks.delta.optimize.minFileSize"), str(16 * 2**20)
)
LOG = logging.getLogger(__name__)
FULL = "No space left on device"  # as the operating system says it
LISTING_TASKS = "spark.sql.sources.parallelPartitionDiscovery.parallelism"
FEW_TASKS = "4"  # a listing takes one task per folder by default, up to 10,000: most of a small table's VACUUM


class Lake:
    """All tables under one root. `spark` is a session, or what opens one when it is needed."""

    def __init__(self, spark: SparkSession | Callable[[], SparkSession], root: str) -> None:
        self._spark = spark
        self._is_catalog = is_catalog(root)
        is_local = not self._is_catalog and "://" not in root
        self.root = str(Path(root).absolute()) if is_local else root.rstrip("/")
        self._of_spark = SparkTables(self.root, self._is_catalog)
        self._delta_rs = None if self._is_catalog else reached(self.root)
        self._folder = FolderFrames(self._delta_rs) if self._delta_rs is not None and is_local else None
        self._writing: str | None = None  # the run that was looked at for all that is written now
        self._lock = threading.RLock()
        self._settings_lock = threading.RLock()

    @property
    def spark(self) -> SparkSession:
        """The session, opened at first use."""
        with self._lock:
            if callable(self._spark):
                self._spark = self._spark()
            return self._spark

    # --- where ---

    def identifier(self, table: str) -> str:
        """The table as Spark SQL names it."""
        return self._of_spark.identifier(table)

    def path(self, name: str) -> str:
        """A place beside the tables for what is no table: models, the report, checkpoints."""
        if self._is_catalog:
            raise LakeError(f"lake: {self.root} is a catalogue; files need a folder or a URL")
        return f"{self.root}/{name}"

    def exists(self, contract: Contract) -> bool:
        """Whether the table was ever written."""
        if self._delta_rs is not None:
            return self._delta_rs.exists(contract.name)
        return self._of_spark.exists(self.spark, contract.name)

    def columns(self, contract: Contract) -> list[str]:
        """The columns that the table has; none where it was never written."""
        if not self.exists(contract):
            return []
        if self._delta_rs is not None:
            return self._delta_rs.columns(contract.name)
        return self._of_spark.read(self.spark, contract).columns

    def extent(self, contract: Contract) -> Extent:
        """How far a log or day table reaches, also beyond what a run sees; mostly its Delta log alone tells."""
        if not self.exists(contract):
            return Extent()
        files = self._delta_rs.files(contract.name) if self._delta_rs is not None else []
        days = [day for file in files for day in (file.first_day, file.last_day)]
        if self._delta_rs is not None and None not in days:
            return Extent(sum(file.rows for file in files), min(days, default=None), max(days, default=None))
        counted = self.read(contract).agg(F.count(F.lit(1)), F.min("day"), F.max("day"))
        return Extent(*counted.collect()[0])

    # --- read: frames ---

    def read(self, contract: Contract) -> DataFrame:
        """All rows of the table: of a run table, the rows of every run."""
        if not self.exists(contract):
            return self._empty(contract)
        return _complete((self._folder or self._of_spark).read(self.spark, contract), contract)

    def read_run(self, contract: Contract, run_id: str) -> DataFrame:
        """One run's rows of a run table, without `run_id`."""
        if not self.exists(contract):
            return self._empty(contract).drop("run_id")
        return _complete((self._folder or self._of_spark).read_run(self.spark, contract, run_id), contract)

    def read_runs(self, contract: Contract, run_ids: Iterable[str]) -> DataFrame:
        """The rows of several runs of a run table, with `run_id`."""
        wanted = frozenset(run_ids)
        if not wanted or not self.exists(contract):
            return self._empty(contract)
        return _complete((self._folder or self._of_spark).read_runs(self.spark, contract, wanted), contract)

    def is_empty(self, contract: Contract) -> bool:
        """Whether the table has no rows, or was never written."""
        if not self.exists(contract):
            return True
        if self._delta_rs is not None:
            return not any(file.rows for file in self._delta_rs.files(contract.name))
        return self.read(contract).isEmpty()

    def find_user(self, contract: Contract, run_id: str, user_id: str) -> DataFrame:
        """One user's rows of a run table, without `run_id`.

        The bucket prunes files by their statistics; the id itself stays in a row, out of plans and event logs.
        """
        asked = self.spark.createDataFrame([(user_id,)], "user_id string")
        bucket = xxhash64(user_id.encode()) % USER_BUCKETS
        of_bucket = self.read_run(contract, run_id).where(F.col("user_bucket") == bucket)
        return of_bucket.join(F.broadcast(asked), on="user_id", how="left_semi")

    def select(self, run_id: str, query: str, **values: Any) -> DataFrame:
        """A SELECT in Spark's SQL, where `{name}` is that table: of a run table the run's rows. `:value` is a value."""
        asked = {TABLES[name] for _, name, _, _ in Formatter().parse(query) if name}
        frames = {c.name: self.read_run(c, run_id) if c.kind == "run" else self.read(c) for c in asked}
        return self.spark.sql(query, args=values, **frames)

    # --- read: rows on the driver ---

    def rows(self, contract: Contract) -> list[Row]:
        """All rows of a driver-sized table; times are UTC."""
        return self._rows(contract, None)

    def rows_of_run(self, contract: Contract, run_id: str) -> list[Row]:
        """One run's rows of a driver-sized run table, without `run_id`."""
        return self._rows(contract, run_id)

    def rows_of_user(self, contract: Contract, run_id: str, user_id: str) -> list[Row]:
        """One user's rows of a run table, without `run_id`."""
        return from_arrow(self.find_user(contract, run_id, user_id).toArrow())

    def published_run(self) -> str | None:
        """The run that readers see; None before the first publication."""
        acts = self.rows(PUBLICATIONS)
        return max(acts, key=lambda act: act.seq).run_id if acts else None

    def is_published(self, run_id: str) -> bool:
        """Whether the run is or ever was what readers see."""
        return any(act.run_id == run_id for act in self.rows(PUBLICATIONS))

    def runs_in(self, contract: Contract) -> set[str]:
        """The runs that have rows in a run table."""
        if not self.exists(contract):
            return set()
        if self._delta_rs is not None:
            return {file.run_id for file in self._delta_rs.files(contract.name) if file.run_id is not None}
        return {row.run_id for row in self.read(contract).select("run_id").distinct().collect()}

    # --- write: frames ---

    def append(self, contract: Contract, frame: DataFrame, files: int | None = None) -> int:
        """Adds the rows of `frame`; returns how many. `files` is how many files they are worth, where that is known."""
        with self._told_where_full(contract):
            self.create(contract)
            return (self._folder or self._of_spark).append(contract, stored(frame, contract), files)

    def replace_run(self, contract: Contract, frame: DataFrame, run_id: str) -> int:
        """Writes the run's rows in place of what it wrote before; returns how many. A published run is refused."""
        self._refuse_unless_open(contract, run_id)
        with self._told_where_full(contract):
            self.create(contract)
            return (self._folder or self._of_spark).replace_run(contract, stored(frame, contract), run_id)

    def replace_days(self, contract: Contract, frame: DataFrame, days: Iterable[date], files: int | None = None) -> int:
        """Writes those days in place of what they held before; returns how many rows.

        `files` is how many files they are worth, where that is known.
        """
        days = set(days)
        if not days:
            return 0
        with self._told_where_full(contract):
            self.create(contract)
            return (self._folder or self._of_spark).replace_days(contract, stored(frame, contract), days, files)

    def clear_run(self, contract: Contract, run_id: str) -> int:
        """Leaves the run without rows in a table, which is made where it is not there; returns 0."""
        self._refuse_unless_open(contract, run_id)
        if not self.create(contract):
            self.delete_runs(contract, [run_id])
        return 0

    def copy_run(self, contract: Contract, from_run: str, to_run: str) -> int:
        """Takes a run's rows over into another run, in place of its own; returns how many. Nothing is computed."""
        self._refuse_unless_open(contract, to_run)
        if not self.exists(contract):
            return 0
        with self._told_where_full(contract):
            if self._folder is not None:
                return self._folder.copy_run(contract, from_run, to_run)
            return self._of_spark.copy_run(self.spark, contract, from_run, to_run)

    def upsert(self, contract: Contract, frame: DataFrame) -> None:
        """Inserts rows, or updates those with the same key. The key is unique in `frame`."""
        if self._delta_rs is not None and not (self.exists(contract) and self._delta_rs.files(contract.name)):
            self.append(contract, frame)
            return
        self.create(contract)
        same_key = " AND ".join(f"old.{column} = new.{column}" for column in contract.key)
        rows = stored(frame, contract).alias("new")
        merge = self._delta_table(contract).alias("old").merge(rows, same_key)
        merge.whenMatchedUpdateAll().whenNotMatchedInsertAll().execute()

    # --- write: rows on the driver ---

    def append_rows(self, contract: Contract, rows: Iterable[Mapping[str, Any]], if_count: int | None = None) -> bool:
        """Adds rows to a driver-sized table; with `if_count` only where it has so many still. Whether it did."""
        with self._told_where_full(contract):
            self.create(contract)
            if self._delta_rs is not None:
                return self._delta_rs.append_rows(contract, rows, if_count)
            return self._of_spark.append_rows(self.spark, contract, rows, if_count)

    def replace_rows(self, contract: Contract, rows: Iterable[Mapping[str, Any]], run_id: str) -> int:
        """Writes the run's rows of a driver-sized table in place of what it wrote before; returns how many.

        A published run is refused.
        """
        self._refuse_unless_open(contract, run_id)
        with self._told_where_full(contract):
            self.create(contract)
            if self._delta_rs is not None:
                return self._delta_rs.replace_rows(contract, rows, run_id)
            return self._of_spark.replace_rows(self.spark, contract, rows, run_id)

    @contextlib.contextmanager
    def writing(self, run_id: str) -> Iterator[None]:
        """Looks once, for all that is written inside, whether the run was published; one that was is refused."""
        self._refuse_published(run_id, "publications")
        self._writing = run_id
        try:
            yield
        finally:
            self._writing = None

    def publish(self, run_id: str, by: str, reason: str, rows: dict[str, int], digests: dict[str, int]) -> int:
        """Makes the run what readers see; returns the number of the act.

        The row's number is read from the table inside the same Serializable transaction, so that of two publishers at
        once one loses, and is told who won.
        """
        self.create(PUBLICATIONS)
        table = self.identifier(PUBLICATIONS.name)
        insert = f"""
            INSERT INTO {table} SELECT coalesce(max(seq), 0) + 1, :run_id, current_timestamp(), :by, :reason,
                from_json(:rows, 'map<string,bigint>'), from_json(:digests, 'map<string,bigint>') FROM {table}"""
        values = {"run_id": run_id, "by": by, "reason": reason}
        try:
            self.spark.sql(insert, args={**values, "rows": json.dumps(rows), "digests": json.dumps(digests)})
        except ConcurrentAppendException as error:
            winner = max(self.rows(PUBLICATIONS), key=lambda act: act.seq)
            raise LakeError(
                f"publications: {winner.by} published run {winner.run_id} at the same moment and won; run {run_id} was"
                " not published; look at `segspark status` and publish again if it still should be"
            ) from error
        return max(act.seq for act in self.rows(PUBLICATIONS) if act.run_id == run_id)

    def create(self, contract: Contract) -> bool:
        """Makes the table where it does not exist; whether it did."""
        if self.exists(contract):
            if self._folder is not None:  # whose files have all columns, also the one that an earlier version left out
                self.lay_out(contract)
            return False
        if self._delta_rs is not None:
            self._delta_rs.create(contract, _properties(contract))
        else:
            self._of_spark.create(self.spark, contract, _properties(contract))
        return True

    # --- housekeeping ---

    def lay_out(self, contract: Contract) -> bool:
        """Writes a table anew that an earlier version partitioned by day, in one transaction; whether it did."""
        if contract.kind == "run" or "day" not in contract.names or not self.exists(contract):
            return False
        name = contract.name
        found = self._delta_rs.partitions(name) if self._delta_rs else self._of_spark.partitions(self.spark, name)
        if found == list(contract.partition_by):
            return False
        with self._told_where_full(contract):
            self._of_spark.lay_out(self.spark, contract, _properties(contract))
        return True

    def delete_runs(self, contract: Contract, run_ids: Iterable[str]) -> None:
        """Removes the rows of those runs."""
        if not self.exists(contract):
            return
        if self._delta_rs is not None:
            self._delta_rs.delete_runs(contract.name, run_ids)
        else:
            self._of_spark.delete_runs(self.spark, contract.name, run_ids)

    def delete(self, contract: Contract, where: str) -> int:
        """Removes the rows that the SQL condition is true for; returns how many."""
        if not self.exists(contract):
            return 0
        told = self.spark.sql(f"DELETE FROM {self.identifier(contract.name)} WHERE {where}").first()
        return int(told["num_affected_rows"]) if told else 0

    def vacuum(self, contract: Contract, hours: float) -> None:
        """Removes files that no version of the last `hours` needs, and those that an interrupted write left."""
        if self._folder is not None and self._delta_rs is not None:
            self._delta_rs.vacuum(contract.name, hours)
            return
        check, listing = "spark.databricks.delta.retentionDurationCheck.enabled", LISTING_TASKS
        with self.settings({check: "false", listing: FEW_TASKS}):
            self._delta_table(contract).vacuum(hours)

    def optimize(self, contract: Contract, run_id: str) -> int:
        """Writes one run's rows of a run table into fewer, larger files; returns how many files were read for it.

        Where rows are about one user they are put in the order of `user_bucket`, by which look-ups skip files. The rows
        stay the same; the old files stay for readers of older versions until `vacuum`.
        """
        order = " ZORDER BY (user_bucket)" if contract.has_user_bucket else ""
        where = f"WHERE run_id = '{run_id}'"
        with self.settings(LOOK_UP_FILES if order else {}):
            command = f"OPTIMIZE {self.identifier(contract.name)} {where}{order}"
            told = self.spark.sql(command).select("metrics.*").first()
        return int(told["numFilesRemoved"]) if told else 0

    def files(self, folder: str) -> list[str]:
        """The names in a folder beside the tables; none where it is not there, or the lake is a catalogue."""
        if self._is_catalog:
            return []
        return names_in(self.spark, self.path(folder))

    def remove(self, name: str) -> None:
        """Removes a file or a folder beside the tables."""
        remove(self.spark, self.path(name))

    @contextlib.contextmanager
    def settings(self, settings: dict[str, str]) -> Iterator[None]:
        """Settings of the session for what is written inside; one thread at a time, as all have one session."""
        with self._settings_lock:
            before = {name: self.spark.conf.get(name, None) for name in settings}
            for name, value in settings.items():
                self.spark.conf.set(name, value)
            try:
                yield
            finally:
                for name, old in before.items():
                    if old is None:
                        self.spark.conf.unset(name)
                    else:
                        self.spark.conf.set(name, old)

    # --- inside ---

    def _rows(self, contract: Contract, run_id: str | None) -> list[Row]:
        assert contract.driver_sized, f"{contract.name} may be too large for the driver"
        if not self.exists(contract):
            return []
        if self._delta_rs is not None:
            return self._delta_rs.rows(contract, run_id)
        return self._of_spark.rows(self.spark, contract, run_id)

    def _refuse_unless_open(self, contract: Contract, run_id: str) -> None:
        if run_id != self._writing:
            self._refuse_published(run_id, contract.name)

    def _refuse_published(self, run_id: str, where: str) -> None:
        if self.is_published(run_id):
            raise LakeError(f"{where}: run {run_id} was published and is never written again; use --force")

    def _delta_table(self, contract: Contract) -> DeltaTable:
        return self._of_spark.delta_table(self.spark, contract.name)

    @contextlib.contextmanager
    def _told_where_full(self, contract: Contract) -> Iterator[None]:
        """Says which table could not be written, and what to do, where a device is full."""
        try:
            yield
        except (PySparkException, Py4JError, DeltaError, OSError) as error:
            if FULL not in str(error):
                raise
            is_folder = Path(self.root).exists()
            free = f" ({shutil.disk_usage(self.root).free / 2**20:,.0f} MiB free)" if is_folder else ""
            raise LakeError(
                f"{contract.name}: no space left on the device while it was written to {self.root}{free}; its earlier"
                " rows are as they were; make room there and where Spark keeps its temporary files, then"
                " `segspark run --resume`"
            ) from error

    def _empty(self, contract: Contract) -> DataFrame:
        columns = ", ".join(f"`{column.name}` {column.type}" for column in stored_columns(contract))
        return no_rows(self.spark, columns)


def reached(root: str) -> DeltaRs | None:
    """The tables of a folder or URL through delta-rs; None for a URL that it cannot reach, such as one whose
    credentials only Spark has.
    """
    problem = problem_with(root) if "://" in root else None
    if problem is None:
        return DeltaRs(root)
    LOG.warning("lake: %s is read and written through Spark alone, as delta-rs cannot reach it: %s", root, problem)
    return None


def stored(frame: DataFrame, contract: Contract) -> DataFrame:
    """The rows checked against the contract, with the user's bucket where rows are about one user."""
    rows = conform(frame, contract)
    return rows.withColumn("user_bucket", user_bucket()) if contract.has_user_bucket else rows


def _complete(frame: DataFrame, contract: Contract) -> DataFrame:
    """The rows with nulls in columns that the contract gained since they were written."""
    there = set(frame.columns)
    gained = [column for column in contract.columns if column.name not in there]
    return frame.withColumns({column.name: F.lit(None).cast(column.type) for column in gained}) if gained else frame


def _properties(contract: Contract) -> dict[str, str]:
    """Delta table properties: readable by every reader, statistics never on personal columns."""
    properties = {}
    if contract.is_personal:
        properties["delta.dataSkippingStatsColumns"] = ",".join(contract.measured)
    if contract.name == PUBLICATIONS.name:
        properties["delta.isolationLevel"] = "Serializable"
    return properties
