"""What a table is: its columns, types, key, what a row is, and which kind of table it is.

Three kinds. `log` tables are appended to or merged into and belong to no run; `day` tables are derived from logs and
replaced a day at a time; `run` tables are written whole for one run and become visible when the run is published.
The lake adds what a kind needs: `run_id` to run tables, and `user_bucket` where a row is about one user, so that a
point look-up prunes files without statistics on the id itself.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from segspark.core.errors import ContractError

if TYPE_CHECKING:  # whoever reads without Spark must not wait for it to be imported
    from pyspark.sql import Column as SparkColumn
    from pyspark.sql import DataFrame, SparkSession
    from pyspark.sql.types import StructType

ORDERED = ("string", "int", "bigint", "double", "date", "timestamp")  # types whose bounds a Delta log can hold
USER_BUCKETS = 4096  # hash buckets of user ids; point look-ups prune files by them


@dataclass(frozen=True)
class Column:
    """One column. `type` is spelled as Spark's `simpleString` does; a `personal` column is kept out of statistics."""

    name: str
    type: str
    comment: str
    personal: bool = False


@dataclass(frozen=True)
class Contract:
    """One table. `key` is unique among the rows of a log or day table, and among a run's rows of a run table."""

    name: str
    kind: str
    grain: str
    key: tuple[str, ...]
    columns: tuple[Column, ...]
    partition_by: tuple[str, ...] = ()
    open_type: str | None = None  # further columns are allowed when they have this type
    kept: bool = False  # spared by prune
    driver_sized: bool = False  # bounded by segments, models, features, files or campaigns, never by users or items

    @property
    def names(self) -> list[str]:
        """The names of the columns, in order."""
        return [column.name for column in self.columns]

    @property
    def has_user_bucket(self) -> bool:
        """Whether the lake adds `user_bucket`, as it does where rows are about one user."""
        return "user_id" in self.names

    @property
    def is_personal(self) -> bool:
        """Whether any column identifies or describes a person."""
        return any(column.personal for column in self.columns)

    @property
    def measured(self) -> list[str]:
        """The columns with statistics in the Delta log: where any column tells of a person, none that does."""
        if self.is_personal:
            there = [*self.names, *(["user_bucket"] if self.has_user_bucket else [])]
            return [name for name in ("user_bucket", "ingest_seq", "day") if name in there]
        return [column.name for column in self.columns if column.type in ORDERED]


def stored_columns(contract: Contract) -> list[Column]:
    """All columns that the table has, in order: those of the contract and those that the lake adds."""
    before = [Column("run_id", "string", "the run that computed the row")] if contract.kind == "run" else []
    bucket = Column("user_bucket", "int", "hash of user_id, for point look-ups")
    return [*before, *contract.columns, *([bucket] if contract.has_user_bucket else [])]


def conform(frame: DataFrame, contract: Contract) -> DataFrame:
    """The contract's columns of `frame`, in order, checked and never cast.

    Raises ContractError where a column is missing or has another type. Columns that the contract does not name are
    left out, except in a contract with `open_type`, where those of that type follow the named ones.
    """
    actual = {field.name: field.dataType.simpleString() for field in frame.schema.fields}
    missing = [f"{c.name} is missing" for c in contract.columns if c.name not in actual]
    mistyped = [
        f"{c.name} is {actual[c.name]}, not {c.type}"
        for c in contract.columns
        if c.name in actual and actual[c.name] != c.type
    ]
    if missing or mistyped:
        raise ContractError(f"{contract.name}: {'; '.join(missing + mistyped)}")
    extra = [name for name, kind in actual.items() if name not in contract.names and kind == contract.open_type]
    return frame.select(*contract.names, *extra)


def frame_of(spark: SparkSession, contract: Contract, rows: Iterable[Mapping[str, object]]) -> DataFrame:
    """Rows with exactly the contract's columns, from the driver: a few hundred at most."""
    schema = ", ".join(f"`{column.name}` {column.type}" for column in contract.columns)
    return spark.createDataFrame([tuple(row[name] for name in contract.names) for row in rows], schema)


def no_rows(spark: SparkSession, schema: StructType | str) -> DataFrame:
    """A frame that is known to be empty, so that Spark leaves out of a plan what would be joined with it."""
    return spark.createDataFrame([], schema).limit(0)


def user_bucket(user_id: str = "user_id") -> SparkColumn:
    """The bucket of a user id, as stored beside it."""
    from pyspark.sql import functions as F

    return F.pmod(F.xxhash64(user_id), F.lit(USER_BUCKETS)).cast("int")


def log(name: str, grain: str, key: Sequence[str], columns: Sequence[Column], by_day: bool = False) -> Contract:
    """A log table; each row knows the `ingest_seq` of the file that brought it."""
    added = [Column("day", "date", "the UTC day of the row's time")] if by_day else []
    added.append(Column("ingest_seq", "bigint", "the number of the file that brought the row, as in source_files"))
    return Contract(name, "log", grain, tuple(key), (*columns, *added))


def ledger(name: str, grain: str, key: Sequence[str], columns: Sequence[Column], driver_sized: bool = True) -> Contract:
    """A log table that the system keeps about itself."""
    return Contract(name, "log", grain, tuple(key), tuple(columns), driver_sized=driver_sized)


def daily(name: str, grain: str, key: Sequence[str], columns: Sequence[Column]) -> Contract:
    """A day table: replaced a day at a time, its files told apart by the statistics of `day`."""
    return Contract(name, "day", grain, tuple(key), tuple(columns))


def run_table(
    name: str,
    grain: str,
    key: Sequence[str],
    columns: Sequence[Column],
    open_type: str | None = None,
    kept: bool = False,
    driver_sized: bool = False,
) -> Contract:
    """A run table: partitioned by `run_id`, which the lake adds."""
    return Contract(name, "run", grain, tuple(key), tuple(columns), ("run_id",), open_type, kept, driver_sized)


USER_ID = Column("user_id", "string", "the user, as the shop names them", personal=True)
ITEM_ID = Column("item_id", "string", "the item, as the shop names it")
