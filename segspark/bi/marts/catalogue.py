"""The view files of a folder: read, checked and put in an order in which they can be made.

A file is one query in Spark SQL under a head of comment lines: `-- grain: …`, then `-- column: what it is` for each
column, in their order; a line of `--` and three spaces goes on with the line before. In the query `published.<table>`
means a run table's rows of the published run, `history.<table>` its rows of every run that was ever published and is
still there, `ledger.<table>` one of the system's own ledgers, `min_group` the configured least number of users, and a
plain name another view.
"""

from __future__ import annotations

import re
from collections.abc import Collection
from dataclasses import dataclass
from graphlib import CycleError, TopologicalSorter
from pathlib import Path

import sqlglot
from sqlglot import exp
from sqlglot.errors import SqlglotError

from segspark.bi.marts.checks import check_query
from segspark.core.errors import ConfigError

NAME = re.compile(r"[a-z][a-z0-9_]*")


@dataclass(frozen=True)
class MartView:
    """One view: what a row and each column is, and the query, parsed."""

    name: str
    grain: str
    columns: dict[str, str]  # by name, what it is
    query: exp.Query

    @property
    def comment(self) -> str:
        """What a row is."""
        return f"One row is {self.grain}."

    @property
    def tables(self) -> set[tuple[str, str]]:
        """What it reads of the lake: published, history or ledger, and the table."""
        return {(table.db, table.name) for table in self.query.find_all(exp.Table) if table.db}

    @property
    def needs(self) -> set[str]:
        """The views that it reads."""
        own = {cte.alias for cte in self.query.find_all(exp.CTE)}
        return {table.name for table in self.query.find_all(exp.Table) if not table.db} - own


def view_files(folder: str) -> dict[str, Path]:
    """The files of the views by name. Raises ConfigError where there is none."""
    files = {path.stem: path for path in sorted(Path(folder).glob("*.sql"))}
    if not files:
        raise ConfigError(f"marts.folder: there is no .sql file in {folder}; give the folder of the views")
    return files


def load_views(folder: str, asked: Collection[str] | None = None) -> tuple[MartView, ...]:
    """The views of `<folder>/*.sql`, each after those that it reads. Raises ConfigError: file, what, how to mend.

    With `asked` only those of these names and those that they read.
    """
    files = view_files(folder)
    views: dict[str, MartView] = {}
    unread = set(files) if asked is None else files.keys() & set(asked)
    while unread:
        name = min(unread)
        view = views[name] = _read(files[name])
        for other in sorted(view.needs - files.keys()):
            raise ConfigError(f"{folder}/{name}.sql: {other} is no view here; write published.{other} for a table")
        unread = (unread | view.needs) - views.keys()
    try:
        order = list(TopologicalSorter({name: sorted(views[name].needs) for name in sorted(views)}).static_order())
    except CycleError as error:
        raise ConfigError(f"{folder}: views read each other in a circle: {' -> '.join(error.args[1])}") from None
    return tuple(views[name] for name in order)


def names_in(statement: str) -> set[str] | None:
    """What a query reads, by name; None where it is no query, and so may speak of anything."""
    try:
        query = sqlglot.parse_one(statement, read="spark")
    except SqlglotError:
        return None
    return {table.name.lower() for table in query.find_all(exp.Table)} if isinstance(query, exp.Query) else None


def parse_view(name: str, text: str) -> MartView:
    """The view of one file's text. Raises ConfigError without the file's name."""
    if not NAME.fullmatch(name):
        raise ConfigError("the file's name is the view's; use small letters, digits and _ only")
    lines = text.strip().splitlines()
    body_at = next((n for n, line in enumerate(lines) if not line.startswith("--")), len(lines))
    grain, columns = _head(lines[:body_at])
    try:
        statements = [each for each in sqlglot.parse("\n".join(lines[body_at:]), read="spark") if each is not None]
    except SqlglotError as error:
        said = str(error).split(". Line")[0].splitlines()[0]
        raise ConfigError(f"no SQL that Spark understands: {said}; mend the query") from None
    if len(statements) != 1 or not isinstance(statements[0], exp.Query):
        raise ConfigError("the file must hold one SELECT; a view is one query")
    query = statements[0]
    check_query(name, query, columns)
    return MartView(name, grain, columns, query)


def _read(path: Path) -> MartView:
    try:
        return parse_view(path.stem, path.read_text(encoding="utf-8"))
    except (OSError, UnicodeDecodeError):
        raise ConfigError(f"{path}: cannot be read as UTF-8 text; write it again") from None
    except ConfigError as error:
        raise ConfigError(f"{path}: {error}") from None


def _head(lines: list[str]) -> tuple[str, dict[str, str]]:
    """The grain, and what each column is."""
    told: list[tuple[str, str]] = []
    for number, line in enumerate(lines, 1):
        said = line.removeprefix("--")
        name, colon, comment = (part.strip() for part in said.partition(":"))
        if said.startswith("   ") and told and said.strip():
            told[-1] = (told[-1][0], f"{told[-1][1]} {said.strip()}")
        elif colon and NAME.fullmatch(name) and comment:
            told.append((name, comment))
        else:
            raise ConfigError(f"line {number}: write `-- column: what it is`, or go on with `--` and three spaces")
    if not told or told[0][0] != "grain":
        raise ConfigError("the first line says what a row is; write `-- grain: …`")
    if repeated := [name for n, (name, _) in enumerate(told) if name in {before for before, _ in told[:n]}]:
        raise ConfigError(f"{repeated[0]} is explained twice; leave one line out")
    return told[0][1], dict(told[1:])
