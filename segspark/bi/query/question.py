"""A question in Spark's SQL that DuckDB answers: one SELECT over what is offered, said in DuckDB's words.

Only what is known to mean the same goes through: kinds of clauses by `CLAUSES`, functions by `functions.py`. All else
is told in one line that names the engine which understands it. So nothing that DuckDB can do beside answering (read a
file, attach a database, change a setting) can be said.
"""

from __future__ import annotations

import logging
from collections.abc import Collection
from dataclasses import dataclass

import sqlglot
from sqlglot import exp
from sqlglot.errors import SqlglotError
from sqlglot.optimizer.scope import traverse_scope

from segspark.bi.query.functions import IN_SOME_FORMS, means_the_same, said_for_duckdb
from segspark.core.errors import InputError

logging.getLogger("sqlglot").setLevel(logging.ERROR)  # what it does not know is told in our own line

ELSEWHERE = "ask with --engine spark"
CLAUSES = (
    *(exp.Select, exp.SetOperation, exp.Subquery, exp.With, exp.CTE, exp.From, exp.Join, exp.Table, exp.TableAlias),
    *(exp.Where, exp.Group, exp.Having, exp.Qualify, exp.Order, exp.Ordered, exp.Limit, exp.Offset, exp.Distinct),
    *(exp.Cube, exp.Rollup, exp.GroupingSets, exp.Lateral, exp.Window, exp.WindowSpec, exp.Filter, exp.Values),
    *(
        exp.Identifier,
        exp.Column,
        exp.Dot,
        exp.Alias,
        exp.Star,
        exp.Literal,
        exp.RawString,
        exp.Boolean,
        exp.Null,
        exp.Var,
    ),
    *(exp.Paren, exp.Tuple, exp.Binary, exp.Unary, exp.Between, exp.In, exp.Bracket, exp.Interval, exp.DataType),
    *(exp.DataTypeParam, exp.IgnoreNulls, exp.RespectNulls),
)


@dataclass(frozen=True)
class Question:
    """One SELECT, parsed, and the places where it names what it reads."""

    query: exp.Query
    sources: tuple[exp.Table, ...]

    @property
    def names(self) -> set[str]:
        """What it reads, in small letters."""
        return {source.name.lower() for source in self.sources}

    def unknown(self, offered: Collection[str]) -> str | None:
        """The first name that is not offered, as Spark tells it."""
        for source in self.sources:
            if source.db or source.name.lower() not in offered:
                return ".".join(f"`{part.name}`" for part in source.parts)
        return None


def read_question(statement: str) -> Question:
    """The question. Raises InputError, with what to do, where it is none or DuckDB may not answer as Spark does."""
    try:
        trees = [tree for tree in sqlglot.parse(statement, read="spark") if tree is not None]
    except SqlglotError as error:
        said = str(error).split(". Line")[0].splitlines()[0]
        raise InputError(f"query: this is no SQL to DuckDB ({said}); if it is to Spark, {ELSEWHERE}") from None
    if len(trees) != 1 or not isinstance(trees[0], exp.Query):
        raise InputError(f"query: DuckDB is asked one SELECT at a time; for what else Spark can be told, {ELSEWHERE}")
    query = trees[0]
    for hint in list(query.find_all(exp.Hint)):
        hint.pop()
    for node in query.walk():
        _refuse_unknown(node)
    return Question(query, tuple(_sources(query)))


def in_duckdb(question: Question) -> str:
    """The question in DuckDB's SQL; columns without a name have the text that they were asked by."""
    query = question.query.copy()
    for select in _outermost(query):
        select.set("expressions", [_named(column) for column in select.expressions])
    for node in reversed(list(query.walk())):
        if (changed := said_for_duckdb(node)) is not node:
            node.replace(changed)
    try:
        return query.sql("duckdb", identify=True, comments=False, unsupported_level=sqlglot.ErrorLevel.RAISE)
    except SqlglotError as error:
        raise InputError(f"query: {str(error).splitlines()[0]} in DuckDB; {ELSEWHERE}") from None


def _refuse_unknown(node: exp.Expr) -> None:
    if isinstance(node, exp.Anonymous | exp.AnonymousAggFunc):
        raise InputError(f"query: {node.name}() is not known to mean the same in DuckDB; {ELSEWHERE}")
    if isinstance(node, exp.Table) and not isinstance(node.this, exp.Identifier):
        raise InputError(f"query: {_short(node)} is no view or table; a SELECT reads these by their names")
    is_clause = isinstance(node, CLAUSES) and not isinstance(node, exp.Func) and type(node) not in IN_SOME_FORMS
    if not is_clause and not means_the_same(node):
        raise InputError(f"query: {_short(node)} is not known to mean the same in DuckDB; {ELSEWHERE}")


def _short(node: exp.Expr) -> str:
    text = " ".join(node.sql("spark", comments=False).split())
    return text if len(text) <= 40 else f"{text[:40]} …"


def _sources(query: exp.Query) -> list[exp.Table]:
    """The tables and views, without what WITH names. Raises InputError where it is not clear which one is meant."""
    try:
        scopes = traverse_scope(query)
    except SqlglotError as error:
        raise InputError(f"query: {str(error).splitlines()[0]}") from None
    own = {id(source): source for scope in scopes for source in scope.sources.values() if isinstance(source, exp.Table)}
    named = {cte.alias.lower() for cte in query.find_all(exp.CTE)}
    for table in query.find_all(exp.Table):
        if id(table) not in own and (table.db or table.name.lower() not in named):
            raise InputError(f"query: {_short(table)} stands where DuckDB cannot be asked it; {ELSEWHERE}")
    return list(own.values())


def _outermost(query: exp.Expr) -> list[exp.Select]:
    """The SELECTs whose columns are shown: of several that are put together, the first one names them."""
    while isinstance(query, exp.SetOperation | exp.Subquery):
        query = query.this
    return [query] if isinstance(query, exp.Select) else []


def _named(column: exp.Expr) -> exp.Expr:
    if isinstance(column, exp.Alias | exp.Column | exp.Star | exp.Dot) or column.is_star:
        return column
    return exp.alias_(column, column.sql("spark", comments=False, normalize_functions="lower"), quoted=True)
