"""One-line rows for tests: what a test does not say has a plain value."""

from datetime import date, datetime

from pyspark.sql import DataFrame, SparkSession

from segspark.core.contracts import Contract
from segspark.core.lake import Lake


def rows_of(spark: SparkSession, contract: Contract, *rows: dict) -> DataFrame:
    """A frame with the contract's columns and types; what a row does not name is null (0 in a bigint or double)."""
    schema = ", ".join(f"`{column.name}` {column.type}" for column in contract.columns)
    return spark.createDataFrame([tuple(row.values()) for row in whole_rows(contract, *rows)], schema)


def whole_rows(contract: Contract, *rows: dict) -> list[dict]:
    """The rows with all columns of the contract; what a row does not name is null (0 in a bigint or double)."""
    plain = {c.name: _plain(c.type) for c in contract.columns}
    known = set(contract.names)
    for row in rows:
        assert set(row) <= known, f"{contract.name} has no {set(row) - known}"
    return [{**plain, **row} for row in rows]


def write_rows(lake: Lake, contract: Contract, run_id: str, *rows: dict) -> None:
    """The run's rows of a run table; Spark writes them only where they may be too many for the driver."""
    if contract.driver_sized:
        lake.replace_rows(contract, whole_rows(contract, *rows), run_id)
    else:
        lake.replace_run(contract, rows_of(lake.spark, contract, *rows), run_id)


def at(text: str) -> datetime:
    """A time from `2024-03-01 10:00` or `2024-03-01 10:00:00`."""
    return datetime.fromisoformat(text)


def day(text: str) -> date:
    """A day from `2024-03-01`."""
    return date.fromisoformat(text)


def _plain(kind: str) -> float | int | None:
    return {"bigint": 0, "double": 0.0}.get(kind)
