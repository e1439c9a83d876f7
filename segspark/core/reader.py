"""What reads a lake, with Spark or without, and the rows that it gives. Needs neither Spark nor Arrow."""

from __future__ import annotations

from datetime import datetime, timezone
from typing import Any, Protocol

from segspark.core.contract import Contract


class Row(dict[str, Any]):
    """One row: its values by name, also as attributes where a mapping has no attribute of that name."""

    def __getattr__(self, name: str) -> Any:
        try:
            return self[name]
        except KeyError:
            raise AttributeError(name) from None

    def asDict(self) -> dict[str, Any]:  # noqa: N802 - as pyspark's Row says it
        """The values by name."""
        return dict(self)


class HasRows(Protocol):
    """A lake as far as its driver-sized tables go."""

    def rows(self, contract: Contract) -> list[Row]:
        """All rows of a driver-sized table; times are UTC."""


class Reader(HasRows, Protocol):
    """A lake as readers ask it: `Lake` by Spark, `FolderLake` without."""

    root: str

    def path(self, name: str) -> str:
        """A place beside the tables for what is no table."""

    def exists(self, contract: Contract) -> bool:
        """Whether the table was ever written."""

    def columns(self, contract: Contract) -> list[str]:
        """The columns that the table has; none where it was never written."""

    def rows_of_run(self, contract: Contract, run_id: str) -> list[Row]:
        """One run's rows of a driver-sized run table, without `run_id`."""

    def rows_of_user(self, contract: Contract, run_id: str, user_id: str) -> list[Row]:
        """One user's rows of a run table, without `run_id`."""

    def published_run(self) -> str | None:
        """The run that readers see; None before the first publication."""

    def select(self, run_id: str, query: str, **values: Any) -> Any:
        """A SELECT in Spark's SQL, where `{name}` is that table: of a run table the run's rows. `:value` is a value."""


def row_of(values: dict[str, Any]) -> Row:
    """The values as a row; structs and maps in them are rows too, times without a zone are UTC."""
    return Row({name: _neutral(value) for name, value in values.items()})


def _neutral(value: Any) -> Any:
    if isinstance(value, dict):
        return row_of(value)
    if isinstance(value, list):
        return [_neutral(each) for each in value]
    if isinstance(value, datetime) and value.tzinfo is None:
        return value.replace(tzinfo=timezone.utc)
    return value
