"""Rows of driver-sized tables as Arrow: the schema of a contract, and rows from and to Arrow tables.

Needs neither Spark nor a Java runtime.
"""

import re
from collections.abc import Iterable, Mapping
from datetime import datetime, timezone
from typing import Any

import pyarrow as pa

from segspark.core.contract import Column, Contract, stored_columns
from segspark.core.errors import ContractError
from segspark.core.reader import Row

SCALARS = {
    "string": pa.string(),
    "int": pa.int32(),
    "bigint": pa.int64(),
    "float": pa.float32(),
    "double": pa.float64(),
    "boolean": pa.bool_(),
    "date": pa.date32(),
    "timestamp": pa.timestamp("us", tz="UTC"),
}
NESTED = re.compile(r"(array|map|struct)<(.*)>")


def arrow_type(spelled: str) -> pa.DataType:
    """The Arrow type of a type as Spark's `simpleString` spells it."""
    nested = NESTED.fullmatch(spelled)
    if nested is None:
        return SCALARS[spelled]
    parts = _split(nested[2])
    if nested[1] == "array":
        return pa.list_(pa.field("element", arrow_type(parts[0])))
    if nested[1] == "map":
        return pa.map_(arrow_type(parts[0]), arrow_type(parts[1]))
    named = (part.partition(":") for part in parts)
    return pa.struct([pa.field(name, arrow_type(kind)) for name, _, kind in named])


def arrow_schema(columns: Iterable[Column]) -> pa.Schema:
    """The columns as an Arrow schema, with their comments as Delta keeps them."""
    return pa.schema([pa.field(c.name, arrow_type(c.type), metadata={"comment": c.comment}) for c in columns])


def to_arrow(contract: Contract, rows: Iterable[Mapping[str, Any]], run_id: str | None = None) -> pa.Table:
    """The rows as the table has them. Raises ContractError for a missing or unknown column, or a value of another type.

    Times without a zone are UTC.
    """
    columns = [column for column in stored_columns(contract) if column.name != "user_bucket"]
    named = [_complete(contract, row) for row in rows]
    if run_id is not None:
        named = [{"run_id": run_id, **row} for row in named]
    try:
        return pa.Table.from_pylist(named, arrow_schema(columns))
    except (pa.ArrowException, TypeError, ValueError) as error:
        raise ContractError(f"{contract.name}: {error}") from error


def from_arrow(table: pa.Table) -> list[Row]:
    """The rows of an Arrow table; times are UTC, structs are rows and maps are dictionaries."""
    kinds = {field.name: field.type for field in table.schema}
    return [Row({name: _value(value, kinds[name]) for name, value in row.items()}) for row in table.to_pylist()]


def _complete(contract: Contract, row: Mapping[str, Any]) -> dict[str, Any]:
    names = contract.names
    if missing := [name for name in names if name not in row]:
        raise ContractError(f"{contract.name}: {', '.join(missing)} is missing")
    return {name: _plain(row[name]) for name in names}


def _plain(value: Any) -> Any:
    """What Arrow takes: numpy scalars as numbers, times without a zone as UTC."""
    if isinstance(value, datetime) and value.tzinfo is None:
        return value.replace(tzinfo=timezone.utc)
    return value.item() if hasattr(value, "item") else value


def _value(value: Any, kind: pa.DataType) -> Any:
    if value is None:
        return None
    if pa.types.is_struct(kind):
        return Row({field.name: _value(value[field.name], field.type) for field in kind})
    if pa.types.is_map(kind):
        return dict(value)
    if pa.types.is_list(kind):
        return [_value(each, kind.value_type) for each in value]
    return value


def _split(text: str) -> list[str]:
    """The parts between commas that stand in no brackets."""
    parts, depth, start = [], 0, 0
    for place, sign in enumerate(text):
        depth += (sign == "<") - (sign == ">")
        if sign == "," and depth == 0:
            parts.append(text[start:place])
            start = place + 1
    return [*parts, text[start:]]
