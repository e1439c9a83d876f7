"""Frames in a lake that is a folder: Spark writes and reads Parquet files, delta-rs commits and lists them.

A write is one Spark execution and a read none until the frame is used; Spark's own Delta writer takes six executions
for a write, and its reader a job over the log for each read.
"""

import shutil
import uuid
from collections.abc import Collection, Iterable
from datetime import date
from itertools import accumulate
from pathlib import Path

from pyspark.sql import Column, DataFrame, Observation, SparkSession
from pyspark.sql import functions as F
from pyspark.sql.types import StructType

from segspark.core.contract import Column as ContractColumn
from segspark.core.contract import Contract, no_rows
from segspark.core.days import contiguous, within
from segspark.core.delta_rs import DataFile, DeltaRs
from segspark.core.files import escaped
from segspark.core.parquet_files import added_file, added_files, removed_file

FULL_FILE = 32 * 2**20  # bytes; smaller files of log and day tables are written together with the next rows
# A folder of Spark's output has an empty file `_SUCCESS` otherwise.
WITHOUT_MARK = {"mapreduce.fileoutputcommitter.marksuccessfuljobs": "false"}


class FolderFrames:
    """Frames of the tables in a folder. Tables are there before rows are written to them."""

    def __init__(self, tables: DeltaRs) -> None:
        self.tables = tables

    # --- read ---

    def read(self, spark: SparkSession, contract: Contract) -> DataFrame:
        """All rows of the table as it is now."""
        files = self.tables.files(contract.name)
        if contract.partition_by or not self._is_plain(contract):
            return spark.read.format("delta").load(self.tables.place(contract.name))
        return self._frame(spark, contract, files)

    def read_run(self, spark: SparkSession, contract: Contract, run_id: str) -> DataFrame:
        """One run's rows as they are now, without `run_id`."""
        if not self._is_plain(contract):
            return self.read(spark, contract).where(F.col("run_id") == run_id).drop("run_id")
        files = [file for file in self.tables.files(contract.name) if file.run_id == run_id]
        return self._frame(spark, contract, files)

    def read_runs(self, spark: SparkSession, contract: Contract, run_ids: Collection[str]) -> DataFrame:
        """The rows of several runs as they are now, with `run_id`."""
        if not self._is_plain(contract):
            return self.read(spark, contract).where(F.col("run_id").isin(*run_ids))
        files = [file for file in self.tables.files(contract.name) if file.run_id in run_ids]
        return self._frame(spark, contract, files, with_run_id=True)

    # --- write ---

    def append(self, contract: Contract, frame: DataFrame, files: int | None) -> int:
        """Adds the rows; the newest small files become part of what is written. Returns how many rows were added."""
        small = self._newest_small(self.tables.files(contract.name))
        return self._rewrite(contract, frame, small, None, files)

    def replace_run(self, contract: Contract, frame: DataFrame, run_id: str) -> int:
        """Writes the run's rows in place of what it wrote before; returns how many."""
        before = [file for file in self.tables.files(contract.name) if file.run_id == run_id]
        return self._commit(contract, frame, before, run_id)

    def replace_days(self, contract: Contract, frame: DataFrame, days: Iterable[date], files: int | None) -> int:
        """Writes those days in place of what they held before; returns how many rows.

        Read and written again are the files that may hold such a day, and the newest small ones.
        """
        ranges, there = contiguous(days), self.tables.files(contract.name)
        touched = [file for file in there if _may_hold(file, ranges)]
        rest = [file for file in there if file not in touched]
        return self._rewrite(contract, frame, [*touched, *self._newest_small(rest)], ~within(days), files)

    def copy_run(self, contract: Contract, from_run: str, to_run: str) -> int:
        """Takes a run's rows over into another run, in place of its own; returns how many."""
        place, name = Path(self.tables.place(contract.name)), contract.name
        there = self.tables.files(name)
        source = [file for file in there if file.run_id == from_run]
        folder = self._folder(contract, to_run)
        folder.mkdir(parents=True, exist_ok=True)
        added = []
        for file in source:
            target = folder / f"part-{uuid.uuid4()}.parquet"
            shutil.copyfile(place / file.path, target)
            added.append(added_file(target, place, to_run, contract))
        removed = [removed_file(file) for file in there if file.run_id == to_run]
        if added or removed:
            self.tables.commit(name, added, removed)
        return sum(file.rows for file in source)

    # --- inside ---

    def _is_plain(self, contract: Contract) -> bool:
        """Whether Spark can read the data files as they are: the table is laid out as this version lays it out."""
        is_as_now = self.tables.partitions(contract.name) == list(contract.partition_by)
        return is_as_now and self.tables.is_plain(contract.name)

    def _frame(
        self, spark: SparkSession, contract: Contract, files: list[DataFile], with_run_id: bool = False
    ) -> DataFrame:
        """The rows of those files; the column that the table is partitioned by, as the folders tell it, if wanted."""
        told = self.tables.spark_schema(contract.name)
        left_out = () if with_run_id else contract.partition_by
        told["fields"] = [field for field in told["fields"] if field["name"] not in left_out]
        schema = StructType.fromJson(told)
        if not files:
            return no_rows(spark, schema)
        place = self.tables.place(contract.name)
        reader = spark.read.schema(schema)
        if with_run_id:
            reader = reader.option("basePath", place)
        return reader.parquet(*escaped(f"{place}/{file.path}" for file in files))

    def _newest_small(self, files: list[DataFile]) -> list[DataFile]:
        """Small files, the newest first, of one full file's bytes together at the most."""
        small = [file for file in files if file.size < FULL_FILE]
        newest = sorted(small, key=lambda file: (file.last_day or date.min, file.path), reverse=True)
        sizes = accumulate(file.size for file in newest)
        return [file for file, size in zip(newest, sizes, strict=True) if size <= FULL_FILE]

    def _rewrite(
        self, contract: Contract, frame: DataFrame, old: list[DataFile], keep: Column | None, files: int | None
    ) -> int:
        """Writes the rows, and those of old files that are kept, in place of those files; returns how many are new."""
        if not old:
            return self._commit(contract, frame if files is None else frame.coalesce(files), [], None)
        there = self._frame(frame.sparkSession, contract, old)
        there = there if keep is None else there.where(keep)
        written = Observation()
        rows = frame.observe(written, F.count(F.lit(1)).alias("rows")).unionByName(there, allowMissingColumns=True)
        full = sum(file.size for file in old) // FULL_FILE
        self._commit(contract, rows if files is None else rows.coalesce(files + full), old, None)
        return int(written.get["rows"])

    def _commit(self, contract: Contract, frame: DataFrame, old: list[DataFile], run_id: str | None) -> int:
        """Writes the rows to files of their own and makes these part of the table in place of the old ones."""
        self._add_columns(contract, frame)
        place, folder = Path(self.tables.place(contract.name)), self._folder(contract, run_id)
        apart = folder / uuid.uuid4().hex  # so that what this write made is told from all else; vacuum finds it
        frame.write.options(**WITHOUT_MARK).parquet(str(apart))
        files = [path.rename(folder / path.name) for path in sorted(apart.glob("*.parquet"))]
        shutil.rmtree(apart)
        added, rows = added_files(files, place, contract, run_id)
        if added or old:
            self.tables.commit(contract.name, added, [removed_file(file) for file in old])
        return rows

    def _folder(self, contract: Contract, run_id: str | None) -> Path:
        return Path(self.tables.place(contract.name), *([] if run_id is None else [f"run_id={run_id}"]))

    def _add_columns(self, contract: Contract, frame: DataFrame) -> None:
        """Columns that the table lacks: what the contract gained, and open ones."""
        there = self.tables.columns(contract.name)
        known = {column.name: column for column in contract.columns}
        gained = [
            known.get(field.name) or ContractColumn(field.name, field.dataType.simpleString(), "")
            for field in frame.schema.fields
            if field.name not in there
        ]
        if gained:
            self.tables.add_columns(contract.name, gained)


def _may_hold(file: DataFile, ranges: list[tuple[date, date]]) -> bool:
    """Whether the file may hold rows of such a day, as far as its statistics tell."""
    if file.first_day is None or file.last_day is None:
        return True
    return any(file.first_day <= last and file.last_day >= first for first, last in ranges)
