"""A view's query in the words of one engine, over the tables as that engine names them."""

from __future__ import annotations

import re
from collections.abc import Collection, Mapping

import sqlglot
from sqlglot import exp

from segspark.bi.marts.catalogue import MartView
from segspark.bi.marts.checks import HISTORY, LEDGER
from segspark.bi.marts.views import Dialect, commented, published_rows
from segspark.core.contracts import PUBLICATIONS, TABLES

MIN_GROUP = "min_group"
PLACE = re.compile(r"\bsegspark_(table|view)_place_(\w+)\b")  # stands for a name while SQL is translated
Shapes = Mapping[str, Collection[str]]  # by table: the columns that it has; a table that is not there has none


def view_query(view: MartView, spoken: Dialect, min_group: int, shapes: Shapes | None = None) -> str:
    """The view's query in that dialect.

    With `shapes` a table that is not there yet is empty, and such a column null; without, all are taken to be there.
    """
    query = view.query.copy()
    used = {identifier.name for identifier in query.find_all(exp.Identifier)}
    for column in list(query.find_all(exp.Column)):
        if column.name == MIN_GROUP and not column.table:
            column.replace(exp.Literal.number(min_group))
    for table in list(query.find_all(exp.Table)):
        if table.db:
            table.replace(_rows(table, spoken, used, shapes))
        elif table.name in view.needs:
            table.set("alias", table.args.get("alias") or exp.TableAlias(this=exp.to_identifier(table.name)))
            table.set("this", exp.to_identifier(f"segspark_view_place_{table.name}"))
    return _in_place(query.sql(dialect=spoken.engine, comments=False), spoken)


def view_statements_of(
    views: Collection[MartView], spoken: Dialect, min_group: int, shapes: Shapes | None = None
) -> list[str]:
    """The statements that make the views with their comments, in that order."""
    return [
        statement
        for view in views
        for statement in commented(
            spoken, view.name, view.comment, view_query(view, spoken, min_group, shapes), view.columns
        )
    ]


def _rows(table: exp.Table, spoken: Dialect, used: Collection[str], shapes: Shapes | None) -> exp.Expression:
    """The rows that `published.t`, `history.t` or `ledger.t` stand for, as a subquery under the same alias."""
    contract, kind = TABLES[table.name], table.db
    types = {column.name: column.type for column in contract.columns}
    types = types if kind == LEDGER else {"run_id": "string", **types}
    types = {name: of for name, of in types.items() if name in used} or dict(list(types.items())[:1])
    is_visible = shapes is None or kind == LEDGER or bool(shapes.get(PUBLICATIONS.name))
    there = set(types) if shapes is None else set(shapes.get(contract.name, ())) if is_visible else set()
    columns = ", ".join(
        f"`{name}`" if name in there else f"CAST(NULL AS {of}) AS `{name}`" for name, of in types.items()
    )
    place, acts = (f"segspark_table_place_{name}" for name in (contract.name, PUBLICATIONS.name))
    if not there:
        return _subquery(f"SELECT {columns} WHERE FALSE", table)
    if kind == LEDGER:
        return _subquery(f"SELECT {columns} FROM {place}", table)
    shown = published_rows(acts) if spoken.run is None else f"= {exp.Literal.string(spoken.run).sql('spark')}"
    visible = f"IN (SELECT run_id FROM {acts})" if kind == HISTORY else shown
    return _subquery(f"SELECT {columns} FROM {place} WHERE run_id {visible}", table)


def _subquery(text: str, table: exp.Table) -> exp.Expression:
    query = sqlglot.parse_one(text, read="spark")
    assert isinstance(query, exp.Query)
    subquery = query.subquery(table.alias_or_name)
    for join in table.args.get("joins") or ():
        subquery.append("joins", join)
    return subquery


def _in_place(text: str, spoken: Dialect) -> str:
    return PLACE.sub(lambda found: (spoken.table if found[1] == "table" else spoken.view)(found[2]), text)
