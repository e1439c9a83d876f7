"""What is said to DuckDB, in its own SQL."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

import duckdb
from sqlglot import exp


@dataclass(frozen=True)
class Selection:
    """A SELECT in DuckDB's SQL, and the database that can answer it."""

    database: duckdb.DuckDBPyConnection
    sql: str


def shown_column(name: str, of: str, is_there: bool) -> str:
    """A column as the relation shows it: Spark's older files have times without a zone, newer ones in UTC."""
    if not is_there:
        return f"CAST(NULL AS {duckdb_type(of)}) AS {quoted(name)}"
    return f"CAST({quoted(name)} AS TIMESTAMP) AS {quoted(name)}" if of == "timestamp" else quoted(name)


def duckdb_type(spelled: str) -> str:
    """DuckDB's name of a type as Spark's `simpleString` spells it."""
    return exp.DataType.build(spelled, dialect="spark").sql("duckdb").replace("TIMESTAMPTZ", "TIMESTAMP")


def parquet(files: Sequence[str], partitions: Mapping[str, str]) -> str:
    """The rows of the files, in FROM; what stands in the folders' names has its own types, as Spark spells them."""
    told = ", ".join(f"{quoted(name)}: {duckdb_type(of)}" for name, of in partitions.items())
    from_folders = f", hive_partitioning = true, hive_types = {{{told}}}" if told else ""
    return f"read_parquet([{texts(map(pattern, files))}], union_by_name = true{from_folders})"


def pattern(path: str) -> str:
    """The path as DuckDB's readers take it: a `*` or `[` in a name stands for itself."""
    return "".join(f"[{sign}]" if sign in "*?[" else sign for sign in path)


def texts(values: Iterable[str]) -> str:
    """Text literals, separated by commas."""
    return ", ".join("'" + value.replace("'", "''") + "'" for value in values)


def quoted(name: str) -> str:
    """A name as an identifier."""
    return '"' + name.replace('"', '""') + '"'
