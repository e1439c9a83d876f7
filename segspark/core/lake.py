"""The only reader and writer of Delta tables.

The lake is a folder, an object-store URL, or `catalog.schema`. A table is made at its first write, from its contract:
comments, partitions, and statistics only on columns that do not identify a person. Readers get an empty frame with the
contract's columns where a table was never written, and nulls in a column that the contract gained since.
"""

import contextlib
import json
import shutil
from collections.abc import Iterable, Iterator
from datetime import date
from pathlib import Path

from delta.exceptions import ConcurrentAppendException
from delta.tables import DeltaTable
from py4j.protocol import Py4JError
from pyspark.errors import PySparkException
from pyspark.sql import DataFrame, Observation, SparkSession
from pyspark.sql import functions as F

from segspark.core.contracts import PUBLICATIONS, Contract, conform, user_bucket
from segspark.core.days import contiguous
from segspark.core.errors import LakeError
from segspark.core.files import is_catalog, names_in, remove

# A look-up reads one file of those that hold its bucket's range: of a gigabyte, as is usual, it would read all.
LOOK_UP_FILES = dict.fromkeys(
    ("spark.databricks.delta.optimize.maxFileSize", "spark.databricks.delta.optimize.minFileSize"), str(16 * 2**20)
)
FULL = "No space left on device"  # as the operating system says it
LISTING_TASKS = "spark.sql.sources.parallelPartitionDiscovery.parallelism"
FEW_TASKS = "4"  # a listing takes one task per folder by default, up to 10,000: most of a small table's VACUUM


class Lake:
    """All tables under one root."""

    def __init__(self, spark: SparkSession, root: str) -> None:
        self.spark = spark
        self._is_catalog = is_catalog(root)
        is_local = not self._is_catalog and "://" not in root
        self.root = str(Path(root).absolute()) if is_local else root.rstrip("/")
        self._writing: str | None = None  # the run that was looked at for all that is written now

    # --- where ---

    def identifier(self, table: str) -> str:
        """The table as Spark SQL names it."""
        return f"{self.root}.{table}" if self._is_catalog else f"delta.`{self.root}/{table}`"

    def path(self, name: str) -> str:
        """A place beside the tables for what is no table: models, the report, checkpoints."""
        if self._is_catalog:
            raise LakeError(f"lake: {self.root} is a catalogue; files need a folder or a URL")
        return f"{self.root}/{name}"

    def exists(self, contract: Contract) -> bool:
        """Whether the table was ever written."""
        if self._is_catalog:
            return self.spark.catalog.tableExists(f"{self.root}.{contract.name}")
        return DeltaTable.isDeltaTable(self.spark, f"{self.root}/{contract.name}")

    def columns(self, contract: Contract) -> list[str]:
        """The columns that the table has; none where it was never written."""
        return self._as_stored(contract).columns if self.exists(contract) else []

    # --- read ---

    def read(self, contract: Contract) -> DataFrame:
        """All rows of the table: of a run table, the rows of every run."""
        if not self.exists(contract):
            return self._empty(contract)
        frame = self._as_stored(contract)
        gained = [column for column in contract.columns if column.name not in frame.columns]
        return frame.withColumns({column.name: F.lit(None).cast(column.type) for column in gained})

    def read_run(self, contract: Contract, run_id: str) -> DataFrame:
        """One run's rows of a run table, without `run_id`."""
        return self.read(contract).where(F.col("run_id") == run_id).drop("run_id")

    def published_run(self) -> str | None:
        """The run that readers see; None before the first publication."""
        if not self.exists(PUBLICATIONS):
            return None
        newest = self.read(PUBLICATIONS).agg(F.max_by("run_id", "seq")).first()
        return newest[0] if newest else None

    def is_published(self, run_id: str) -> bool:
        """Whether the run is or ever was what readers see."""
        return self.exists(PUBLICATIONS) and not self.read(PUBLICATIONS).where(F.col("run_id") == run_id).isEmpty()

    # --- write ---

    def append(self, contract: Contract, frame: DataFrame) -> int:
        """Adds the rows of `frame`; returns how many."""
        return self._write(contract, stored(frame, contract))

    def insert(self, contract: Contract, select: str, values: dict[str, str]) -> None:
        """Adds what a SELECT gives, all of the contract's columns in order; `{table}` in it is the table itself.

        What it reads from the table and what it adds are one transaction: of two at once that read what the other adds,
        one raises Delta's ConcurrentAppendException.
        """
        self.create(contract)
        table = self.identifier(contract.name)
        self.spark.sql(f"INSERT INTO {table} {select.format(table=table)}", args=values)

    def replace_run(self, contract: Contract, frame: DataFrame, run_id: str) -> int:
        """Writes the run's rows in place of what it wrote before; returns how many. A published run is refused."""
        if run_id != self._writing:
            self._refuse_published(run_id, contract.name)
        rows = stored(frame, contract).withColumn("run_id", F.lit(run_id))
        return self._write(contract, rows, where=f"run_id = '{run_id}'")

    @contextlib.contextmanager
    def writing(self, run_id: str) -> Iterator[None]:
        """Looks once, for all that is written inside, whether the run was published; one that was is refused."""
        self._refuse_published(run_id, "publications")
        self._writing = run_id
        try:
            yield
        finally:
            self._writing = None

    def replace_days(self, contract: Contract, frame: DataFrame, days: Iterable[date], gathered: bool = False) -> int:
        """Writes those days in place of what they held before; returns how many rows.

        Where the rows of a day are `gathered` in few partitions already, they are not shuffled once more to be so.
        """
        ranges = " OR ".join(f"(day >= '{first}' AND day <= '{last}')" for first, last in contiguous(days))
        return self._write(contract, stored(frame, contract), where=ranges, gathered=gathered) if ranges else 0

    def upsert(self, contract: Contract, frame: DataFrame) -> None:
        """Inserts rows, or updates those with the same key. The key is unique in `frame`."""
        self.create(contract)
        rows = stored(frame, contract)
        same_key = " AND ".join(f"old.{column} = new.{column}" for column in contract.key)
        table = self._delta_table(contract)
        table.alias("old").merge(rows.alias("new"), same_key).whenMatchedUpdateAll().whenNotMatchedInsertAll().execute()

    def publish(self, run_id: str, by: str, reason: str, rows: dict[str, int], digests: dict[str, int]) -> int:
        """Makes the run what readers see; returns the number of the act.

        The row's number is read from the table inside the same Serializable transaction, so that of two publishers at
        once one loses, and is told who won.
        """
        select = """
            SELECT coalesce(max(seq), 0) + 1, :run_id, current_timestamp(), :by, :reason,
                from_json(:rows, 'map<string,bigint>'), from_json(:digests, 'map<string,bigint>') FROM {table}"""
        values = {"run_id": run_id, "by": by, "reason": reason}
        try:
            self.insert(PUBLICATIONS, select, {**values, "rows": json.dumps(rows), "digests": json.dumps(digests)})
        except ConcurrentAppendException as error:
            winner = self.read(PUBLICATIONS).orderBy(F.desc("seq")).collect()[0]
            raise LakeError(
                f"publications: {winner.by} published run {winner.run_id} at the same moment and won; run {run_id} was"
                " not published; look at `segspark status` and publish again if it still should be"
            ) from error
        acts = self.read(PUBLICATIONS).where(F.col("run_id") == run_id).select("seq").collect()
        return max(act.seq for act in acts)

    def create(self, contract: Contract) -> bool:
        """Makes the table where it does not exist; whether it did."""
        if self.exists(contract):
            return False
        builder = DeltaTable.createIfNotExists(self.spark)
        if self._is_catalog:
            builder = builder.tableName(self.identifier(contract.name))
        else:
            builder = builder.location(f"{self.root}/{contract.name}")
        if contract.kind == "run":
            builder = builder.addColumn("run_id", "string", comment="the run that computed the row")
        for column in contract.columns:
            builder = builder.addColumn(column.name, column.type, comment=column.comment)
        if contract.has_user_bucket:
            builder = builder.addColumn("user_bucket", "int", comment="hash of user_id, for point look-ups")
        for key, value in _properties(contract).items():
            builder = builder.property(key, value)
        builder.comment(f"One row is {contract.grain}.").partitionedBy(*contract.partition_by).execute()
        return True

    def delete_runs(self, contract: Contract, run_ids: Iterable[str]) -> None:
        """Removes the rows of those runs."""
        if self.exists(contract):
            self._delta_table(contract).delete(F.col("run_id").isin(*run_ids))

    def delete(self, contract: Contract, where: str) -> int:
        """Removes the rows that the SQL condition is true for; returns how many."""
        if not self.exists(contract):
            return 0
        told = self.spark.sql(f"DELETE FROM {self.identifier(contract.name)} WHERE {where}").first()
        return int(told["num_affected_rows"]) if told else 0

    def vacuum(self, contract: Contract, hours: float) -> None:
        """Removes files that no version of the last `hours` needs, and those that an interrupted write left."""
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
        """Settings of the session for what is written inside."""
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

    def _refuse_published(self, run_id: str, where: str) -> None:
        if self.is_published(run_id):
            raise LakeError(f"{where}: run {run_id} was published and is never written again; use --force")

    def _as_stored(self, contract: Contract) -> DataFrame:
        if self._is_catalog:
            return self.spark.read.table(self.identifier(contract.name))
        return self.spark.read.format("delta").load(f"{self.root}/{contract.name}")

    def _delta_table(self, contract: Contract) -> DeltaTable:
        if self._is_catalog:
            return DeltaTable.forName(self.spark, self.identifier(contract.name))
        return DeltaTable.forPath(self.spark, f"{self.root}/{contract.name}")

    def _write(self, contract: Contract, rows: DataFrame, where: str | None = None, gathered: bool = False) -> int:
        """Adds the rows, in place of those that `where` selects; a new table has none of these."""
        replaces = not self.create(contract) and where is not None
        written = Observation()
        rows = rows.observe(written, F.count(F.lit(1)).alias("rows"))
        if contract.partition_by == ("day",) and not gathered:
            rows = rows.hint("rebalance", "day")
        writer = rows.write.format("delta").mode("overwrite" if replaces else "append").option("mergeSchema", "true")
        if replaces:
            writer = writer.option("replaceWhere", where)
        with self._told_where_full(contract):
            if self._is_catalog:
                writer.saveAsTable(self.identifier(contract.name))
            else:
                writer.save(f"{self.root}/{contract.name}")
        return int(written.get["rows"])

    @contextlib.contextmanager
    def _told_where_full(self, contract: Contract) -> Iterator[None]:
        """Says which table could not be written, and what to do, where a device is full."""
        try:
            yield
        except (PySparkException, Py4JError) as error:
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
        columns = [f"`{column.name}` {column.type}" for column in contract.columns]
        before = ["run_id string"] if contract.kind == "run" else []
        after = ["user_bucket int"] if contract.has_user_bucket else []
        return self.spark.createDataFrame([], ", ".join(before + columns + after))


def stored(frame: DataFrame, contract: Contract) -> DataFrame:
    """The rows checked against the contract, with the user's bucket where rows are about one user."""
    rows = conform(frame, contract)
    return rows.withColumn("user_bucket", user_bucket()) if contract.has_user_bucket else rows


def _properties(contract: Contract) -> dict[str, str]:
    """Delta table properties: readable by every reader, statistics never on personal columns."""
    properties = {"delta.minReaderVersion": "1"}
    if contract.is_personal:
        measured = ["user_bucket"] if contract.has_user_bucket else []
        measured += ["ingest_seq"] if "ingest_seq" in contract.names else []
        properties["delta.dataSkippingStatsColumns"] = ",".join(measured)
    if contract.name == PUBLICATIONS.name:
        properties["delta.isolationLevel"] = "Serializable"
    return properties
