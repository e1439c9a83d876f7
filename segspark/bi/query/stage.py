"""All of the questions that knows the lake: the views and tables that may be asked, in Spark and in DuckDB."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

import duckdb

from segspark.bi.config import MartsConfig
from segspark.bi.marts.catalogue import MartView, load_views, names_in, view_files
from segspark.bi.marts.checks import HISTORY
from segspark.bi.marts.rendering import view_query, view_statements_of
from segspark.bi.marts.views import NEIGHBOURS, dialect_over, spark_dialect, view_statements
from segspark.bi.query.question import ELSEWHERE, in_duckdb, read_question
from segspark.core.contracts import PUBLICATIONS, RUN_TABLES, TABLES, USER_SIMILARITY, Contract
from segspark.core.errors import InputError
from segspark.core.folder_lake import FolderLake, Relation, lock
from segspark.core.reader import Reader

if TYPE_CHECKING:
    from segspark.core.lake import Lake

BASE = "lake"  # the schema of DuckDB in which the tables behind the views are


@dataclass(frozen=True)
class Offer:
    """What may be asked.

    By default the views of the configured folder, in which nobody is named. With `tables` also each run table of the
    published run, and the tables without personal columns (`source_files`, `runs`, `publications`, `items`). With
    `logs` also all log and day tables.
    """

    config: MartsConfig
    tables: bool = False
    logs: bool = False

    @property
    def contracts(self) -> list[Contract]:
        """The tables."""
        are_shown = self.tables or self.logs
        return [c for c in TABLES.values() if self.logs or (are_shown and (c.kind == "run" or not c.is_personal))]

    @property
    def names(self) -> list[str]:
        """All names that may be asked."""
        names = [*view_files(self.config.folder), *(contract.name for contract in self.contracts)]
        return [*names, NEIGHBOURS] if USER_SIMILARITY in self.contracts else names

    def wanted(self, asked: Collection[str] | None) -> list[Contract]:
        """The tables that these names need; all where there are no names."""
        if asked is None:
            return self.contracts
        named = {*asked, USER_SIMILARITY.name} if NEIGHBOURS in asked else set(asked)
        return [contract for contract in self.contracts if contract.name in named]


@dataclass(frozen=True)
class Answer:
    """The columns and the first rows of an answer; structs are dictionaries."""

    columns: list[str]
    rows: list[tuple[Any, ...]]


def ask(lake: Lake | FolderLake, offer: Offer, statement: str, limit: int) -> Answer:
    """The answer to a SELECT in Spark's SQL. Raises InputError where it names what is not offered."""
    if isinstance(lake, FolderLake):
        return _ask_duckdb(lake, offer, statement, limit)
    return _ask_spark(lake, offer, statement, limit)


def printed_views(lake: Reader, config: MartsConfig, dialect: str) -> list[str]:
    """The statements that make all views for another reader, in an order in which they can be run.

    First the published run's rows of each run table that was ever written, then the views of the configured folder.
    """
    written = [contract.name for contract in RUN_TABLES if lake.exists(contract)]
    views, spoken = load_views(config.folder), dialect_over(dialect, lake.root)
    marts = view_statements_of(views, spoken, config.min_group, _shapes(lake, views))
    return [*view_statements(dialect, lake.root, written), *marts]


# --- Spark ---


def register_views(lake: Lake, offer: Offer, asked: Collection[str] | None = None) -> list[str]:
    """Temporary views in the Spark session; returns the names of all that may be asked.

    All show the published run, also when another is published later; a table that was never written is empty. With
    `asked` only what these names need is made, which spares a query seconds.
    """
    views = load_views(offer.config.folder, asked)
    spoken = replace(spark_dialect(lake.identifier), create="CREATE OR REPLACE TEMPORARY VIEW")
    for statement in view_statements_of(views, spoken, offer.config.min_group, _shapes(lake, views)):
        lake.spark.sql(statement)
    _register_tables(lake, offer.wanted(asked))
    return offer.names


def _ask_spark(lake: Lake, offer: Offer, statement: str, limit: int) -> Answer:
    from pyspark.errors import AnalysisException
    from pyspark.sql import Row

    register_views(lake, offer, names_in(statement))
    try:
        frame = lake.spark.sql(statement)
    except AnalysisException as error:
        if error.getCondition() != "TABLE_OR_VIEW_NOT_FOUND":
            raise
        raise _not_offered((error.getMessageParameters() or {}).get("relationName", "a table"), offer) from error
    rows = [tuple(row.asDict(recursive=True).values()) for row in frame.limit(limit).collect() if isinstance(row, Row)]
    return Answer(frame.columns, rows)


def _not_offered(name: str, offer: Offer) -> InputError:
    return InputError(f"query: {name} is not among {', '.join(offer.names)}; --tables and --logs show more")


def _register_tables(lake: Lake, shown: list[Contract]) -> None:
    """Views of single tables, and `user_neighbours` where these tell it."""
    spoken = spark_dialect(lake.identifier)
    is_published = lake.exists(PUBLICATIONS)
    for contract in shown:
        if contract.kind == "run" and is_published and lake.exists(contract):
            _temporary_view(lake, contract.name, spoken.query(contract))
        elif contract.kind != "run" and lake.exists(contract):
            _temporary_view(lake, contract.name, f"SELECT * FROM {lake.identifier(contract.name)}")
        else:
            lake.read(contract).limit(0).createOrReplaceTempView(contract.name)
    if USER_SIMILARITY in shown:
        _temporary_view(lake, NEIGHBOURS, spoken.neighbours.format(table=f"`{USER_SIMILARITY.name}`"))


def _temporary_view(lake: Lake, name: str, query: str) -> None:
    """A view by its text, which is read anew at each query: a frame would keep the publication it first saw."""
    lake.spark.sql(f"CREATE OR REPLACE TEMPORARY VIEW `{name}` AS {query}")


def _shapes(lake: Reader, views: tuple[MartView, ...]) -> dict[str, list[str]]:
    """The columns of the tables that the views read, and of the publications."""
    names = {name for view in views for _, name in view.tables} | {PUBLICATIONS.name}
    return {name: lake.columns(TABLES[name]) for name in sorted(names)}


# --- DuckDB ---


def offered_database(lake: FolderLake, offer: Offer, asked: Collection[str] | None = None) -> duckdb.DuckDBPyConnection:
    """A database in memory that has what may be asked, or what these names need of it, and reads no other file.

    All is of the run that is published now. The tables behind the views are in the schema BASE.
    """
    published = lake.published_run() or ""
    views, tables = load_views(offer.config.folder, asked), offer.wanted(asked)
    relations = _relations(lake, views, tables, published)
    database = lake.database()
    database.execute(f"CREATE SCHEMA {BASE}")
    for name, relation in relations.items():
        database.execute(f"CREATE VIEW {BASE}.{name} AS {relation.sql}")
    spoken = replace(dialect_over("duckdb", lake.root), table=lambda name: f"{BASE}.{name}", run=published)
    for view in views:
        database.execute(f"CREATE VIEW {view.name} AS {view_query(view, spoken, offer.config.min_group)}")
    for contract in tables:
        rows = spoken.query(contract) if contract.kind == "run" else f"SELECT * FROM {BASE}.{contract.name}"
        database.execute(f"CREATE VIEW {contract.name} AS {rows}")
    if USER_SIMILARITY in tables:
        neighbours = spoken.neighbours.format(table=USER_SIMILARITY.name)
        database.execute(f"CREATE VIEW {NEIGHBOURS} AS {neighbours}")
    lock(database, relations.values())
    return database


def _relations(
    lake: FolderLake, views: Collection[MartView], tables: Collection[Contract], published: str
) -> dict[str, Relation]:
    """The tables behind the views, and those that are asked themselves: of run tables the runs that are shown."""
    read = {source for view in views for source in view.tables}
    ever = {act.run_id for act in lake.rows(PUBLICATIONS)}
    relations = {}
    for name in sorted({name for _, name in read} | {contract.name for contract in tables} | {PUBLICATIONS.name}):
        runs = sorted(ever if (HISTORY, name) in read else {published} & ever)
        relations[name] = lake.relation(TABLES[name], runs if TABLES[name].kind == "run" else None)
    return relations


def _ask_duckdb(lake: FolderLake, offer: Offer, statement: str, limit: int) -> Answer:
    question = read_question(statement)
    names = set(offer.names)
    if (unknown := question.unknown(names)) is not None:
        raise _not_offered(unknown, offer)
    database = offered_database(lake, offer, question.names)
    try:
        (said,) = database.extract_statements(in_duckdb(question))
        if (
            said.type != duckdb.StatementType.SELECT
        ):  # beside the check of the question: this is what DuckDB makes of it
            raise InputError(
                f"query: DuckDB is asked one SELECT at a time; for what else Spark can be told, {ELSEWHERE}"
            )
        result = database.execute(said)
        return Answer([column[0] for column in result.description or ()], result.fetchmany(limit))
    except duckdb.Error as error:
        first = " ".join(str(error).split("\n\n")[0].split())[:300]
        raise InputError(f"query: {first} (DuckDB's answer; if Spark understands it, {ELSEWHERE})") from error
