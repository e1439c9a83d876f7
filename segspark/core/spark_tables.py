"""Delta tables through Spark: in a catalogue, and wherever delta-rs cannot go."""

from collections.abc import Collection, Iterable, Mapping
from datetime import date
from typing import Any

from delta.exceptions import ConcurrentAppendException, DeltaConcurrentModificationException
from delta.tables import DeltaTable
from py4j.protocol import Py4JError
from pyspark.errors import PySparkException
from pyspark.sql import DataFrame, Observation, SparkSession
from pyspark.sql import functions as F

from segspark.core.arrow_rows import Row, from_arrow, stored_columns
from segspark.core.contract import Contract, frame_of
from segspark.core.days import contiguous
from segspark.core.folder_frames import FULL_FILE

CHANGED = "segspark: the table has other rows by now"


class SparkTables:
    """The tables of a catalogue's schema, or below a URL. Tables are there before rows are written to them."""

    def __init__(self, root: str, is_catalog: bool) -> None:
        self.root, self.is_catalog = root, is_catalog

    # --- the tables ---

    def identifier(self, name: str) -> str:
        """The table as Spark SQL names it."""
        return f"{self.root}.{name}" if self.is_catalog else f"delta.`{self.root}/{name}`"

    def delta_table(self, spark: SparkSession, name: str) -> DeltaTable:
        """The table as Delta's own API has it."""
        if self.is_catalog:
            return DeltaTable.forName(spark, self.identifier(name))
        return DeltaTable.forPath(spark, f"{self.root}/{name}")

    def exists(self, spark: SparkSession, name: str) -> bool:
        """Whether there is such a table."""
        if self.is_catalog:
            return spark.catalog.tableExists(self.identifier(name))
        return DeltaTable.isDeltaTable(spark, f"{self.root}/{name}")

    def create(self, spark: SparkSession, contract: Contract, properties: Mapping[str, str]) -> None:
        """Makes the table where it is not there."""
        columns = ", ".join(f"`{c.name}` {c.type} COMMENT {_literal(c.comment)}" for c in stored_columns(contract))
        partitions = f"PARTITIONED BY ({', '.join(contract.partition_by)})" if contract.partition_by else ""
        told = ", ".join(f"{_literal(key)} = {_literal(value)}" for key, value in properties.items())
        spark.sql(
            f"CREATE TABLE IF NOT EXISTS {self.identifier(contract.name)} ({columns}) USING delta {partitions}"
            f" COMMENT {_literal(f'One row is {contract.grain}.')}" + (f" TBLPROPERTIES ({told})" if told else "")
        )

    def partitions(self, spark: SparkSession, name: str) -> list[str]:
        """The columns that the table is partitioned by."""
        return list(self.delta_table(spark, name).detail().select("partitionColumns").collect()[0][0])

    def lay_out(self, spark: SparkSession, contract: Contract, properties: Mapping[str, str]) -> None:
        """Writes all rows of a dated table anew, in the order of their days and in full files, without partitions.

        One transaction replaces the table: until it is committed all is as it was, and it is refused where somebody
        else wrote meanwhile.
        """
        size = self.delta_table(spark, contract.name).detail().select("sizeInBytes").collect()[0][0]
        files = max(1, size // FULL_FILE)
        comments = {column.name: {"comment": column.comment} for column in stored_columns(contract)}
        there = self.read(spark, contract)
        told = there.select(*(F.col(name).alias(name, metadata=comments.get(name, {})) for name in there.columns))
        rows = told.repartitionByRange(files, "day").sortWithinPartitions("day")
        writer = rows.writeTo(self.identifier(contract.name)).using("delta")
        for key, value in {**properties, "comment": f"One row is {contract.grain}."}.items():
            writer = writer.tableProperty(key, value)
        writer.replace()

    # --- frames ---

    def read(self, spark: SparkSession, contract: Contract) -> DataFrame:
        """All rows of the table."""
        if self.is_catalog:
            return spark.read.table(self.identifier(contract.name))
        return spark.read.format("delta").load(f"{self.root}/{contract.name}")

    def read_run(self, spark: SparkSession, contract: Contract, run_id: str) -> DataFrame:
        """One run's rows, without `run_id`."""
        return self.read(spark, contract).where(F.col("run_id") == run_id).drop("run_id")

    def read_runs(self, spark: SparkSession, contract: Contract, run_ids: Collection[str]) -> DataFrame:
        """The rows of several runs, with `run_id`."""
        return self.read(spark, contract).where(F.col("run_id").isin(*run_ids))

    def append(self, contract: Contract, frame: DataFrame, files: int | None) -> int:
        """Adds the rows; returns how many."""
        return self._write(contract, frame if files is None else frame.coalesce(files), None)

    def replace_run(self, contract: Contract, frame: DataFrame, run_id: str) -> int:
        """Writes the run's rows in place of what it wrote before; returns how many."""
        return self._write(contract, frame.withColumn("run_id", F.lit(run_id)), f"run_id = '{run_id}'")

    def replace_days(self, contract: Contract, frame: DataFrame, days: Iterable[date], files: int | None) -> int:
        """Writes those days in place of what they held before; returns how many rows."""
        ranges = " OR ".join(f"(day >= '{first}' AND day <= '{last}')" for first, last in contiguous(days))
        return self._write(contract, frame if files is None else frame.coalesce(files), ranges)

    def copy_run(self, spark: SparkSession, contract: Contract, from_run: str, to_run: str) -> int:
        """Takes a run's rows over into another run, in place of its own; returns how many."""
        return self.replace_run(contract, self.read_run(spark, contract, from_run), to_run)

    def _write(self, contract: Contract, rows: DataFrame, where: str | None) -> int:
        written = Observation()
        observed = rows.observe(written, F.count(F.lit(1)).alias("rows"))
        writer = (rows if self.is_catalog else observed).write.format("delta")
        writer = writer.mode("overwrite" if where else "append").option("mergeSchema", "true")
        if where:
            writer = writer.option("replaceWhere", where)
        if not self.is_catalog:
            writer.save(f"{self.root}/{contract.name}")
            return int(written.get["rows"])
        writer.saveAsTable(self.identifier(contract.name))  # which no observation sees
        newest = self.delta_table(rows.sparkSession, contract.name).history(1).select("operationMetrics").first()
        told = newest[0] if newest else {}
        return int(told.get("numOutputRows", 0)) - int(told.get("numCopiedRows", 0))

    # --- rows on the driver ---

    def rows(self, spark: SparkSession, contract: Contract, run_id: str | None = None) -> list[Row]:
        """All rows of a table, or those of one run without `run_id`; columns that it lacks are null."""
        frame = self.read(spark, contract) if run_id is None else self.read_run(spark, contract, run_id)
        there = set(frame.columns)
        wanted = [c for c in stored_columns(contract) if not (run_id is not None and c.name == "run_id")]
        columns = [F.col(c.name) if c.name in there else F.lit(None).cast(c.type).alias(c.name) for c in wanted]
        return from_arrow(frame.select(*columns).toArrow())

    def append_rows(
        self, spark: SparkSession, contract: Contract, rows: Iterable[Mapping[str, Any]], if_count: int | None = None
    ) -> bool:
        """Adds the rows; with `if_count` only where the table still has so many. Whether they were added."""
        frame = frame_of(spark, contract, rows)
        if if_count is None:
            self._write(contract, frame, None)
            return True
        # An INSERT that reads the table itself is no blind append: of two at once one fails, whatever they add.
        view, table = "segspark_rows_to_add", self.identifier(contract.name)
        frame.createOrReplaceTempView(view)
        names = ", ".join(f"`{name}`" for name in frame.columns)
        is_same = f"if((SELECT count(*) FROM {table}) = {int(if_count)}, true, raise_error('{CHANGED}'))"
        try:
            spark.sql(f"INSERT INTO {table} ({names}) SELECT {names} FROM {view} WHERE {is_same}")
        except (ConcurrentAppendException, DeltaConcurrentModificationException):
            return False
        except (PySparkException, Py4JError) as error:
            if CHANGED not in str(error):
                raise
            return False
        finally:
            spark.catalog.dropTempView(view)
        return True

    def replace_rows(
        self, spark: SparkSession, contract: Contract, rows: Iterable[Mapping[str, Any]], run_id: str
    ) -> int:
        """Writes the run's rows in place of what it wrote before; returns how many."""
        return self.replace_run(contract, frame_of(spark, contract, rows), run_id)

    def delete_runs(self, spark: SparkSession, name: str, run_ids: Iterable[str]) -> None:
        """Removes the rows of those runs."""
        self.delta_table(spark, name).delete(F.col("run_id").isin(*run_ids))


def _literal(text: str) -> str:
    """A string in Spark SQL."""
    return "'" + text.replace("\\", "\\\\").replace("'", "\\'") + "'"
