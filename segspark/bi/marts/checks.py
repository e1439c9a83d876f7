"""What a view's query must keep to: so that every engine can run it, and that it shows nobody's personal columns."""

from __future__ import annotations

from collections.abc import Collection, Iterator

from sqlglot import exp

from segspark.core.contracts import PUBLICATIONS, RUNS, SOURCE_FILES, TABLES
from segspark.core.errors import ConfigError

PUBLISHED, HISTORY, LEDGER = "published", "history", "ledger"
LEDGERS = (RUNS.name, PUBLICATIONS.name, SOURCE_FILES.name)
PERSONAL = frozenset(column.name for table in TABLES.values() for column in table.columns if column.personal)
SOURCES = f"{PUBLISHED}.<run table>, {HISTORY}.<run table>, {LEDGER}.<{'|'.join(LEDGERS)}> or a view's name"


def check_query(name: str, query: exp.Query, columns: Collection[str]) -> None:
    """Raises ConfigError, which says how to mend it, for the first rule that the query of the view breaks."""
    for problem in _problems(name, query, columns):
        raise ConfigError(problem)


def _problems(name: str, query: exp.Query, columns: Collection[str]) -> Iterator[str]:
    if name in TABLES:
        yield f"{name} is a table of the lake; give the file, and so the view, another name"
    for star in query.find_all(exp.Star):
        if not isinstance(star.parent, exp.Count):
            yield "`*` shows whatever a table gains; name the columns"
    shown = query.named_selects
    if list(shown) != list(columns):
        yield _unlike(shown, list(columns))
    for function in query.find_all(exp.Anonymous):
        yield f"{function.name} is a function of one engine only; use one that Spark, DuckDB and Trino all know"
    for table in query.find_all(exp.Table):
        yield from _table_problems(table)
    for column in query.find_all(exp.Column):
        if column.name.lower() in PERSONAL and not _is_in_join(column):
            yield f"{column.name} describes or names a person; join by it only, and show user_key of user_facts"


def _unlike(shown: list[str], told: list[str]) -> str:
    if missing := [column for column in shown if column not in told]:
        return f"{missing[0] or 'a column without a name'} is not explained; write `-- {missing[0]}: what it is`"
    if extra := [column for column in told if column not in shown]:
        return f"{extra[0]} is explained but not shown; leave the line out, or select it"
    return "columns are explained in another order than they are shown; put them in the same"


def _table_problems(table: exp.Table) -> Iterator[str]:
    kind, name = table.db, table.name
    if table.catalog or not isinstance(table.this, exp.Identifier):
        yield f"{table.sql('spark')} is no source of a view; use {SOURCES}"
    elif kind in (PUBLISHED, HISTORY):
        if name not in TABLES or TABLES[name].kind != "run":
            yield f"{kind}.{name} is no run table; they stand in docs/tables.md"
        elif TABLES[name].open_type:
            yield f"{kind}.{name} has columns that come and go; read user_facts"
    elif kind == LEDGER:
        if name not in LEDGERS:
            yield f"{kind}.{name} is no ledger; there are {', '.join(LEDGERS)}"
    elif kind:
        yield f"{kind}.{name} is no source of a view; use {SOURCES}"


def _is_in_join(column: exp.Column) -> bool:
    """Whether the column stands in the condition of a join, and not in what a query selects or filters by."""
    holder = column.find_ancestor(exp.Join, exp.Query)
    return isinstance(holder, exp.Join)
