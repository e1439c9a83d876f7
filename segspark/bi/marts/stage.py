"""All of the marts that knows the lake: the tables that a run writes for BI, and the views that a session gets."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace

from pyspark.sql import DataFrame
from pyspark.sql import functions as F

from segspark.bi.config import MartsConfig
from segspark.bi.marts.catalogue import MartView, load_views, needed
from segspark.bi.marts.items import item_facts, purchases_before, segment_categories, users_of_items
from segspark.bi.marts.months import cohort_months, segment_facts, segment_months, user_months
from segspark.bi.marts.moves import Row, count_moves, named_moves
from segspark.bi.marts.pseudonyms import VARIABLE, pseudonym_key, with_user_key
from segspark.bi.marts.rendering import view_statements_of
from segspark.bi.marts.scores import count_ranks, cut_fifths, describe, user_totals
from segspark.bi.marts.views import NEIGHBOURS, Dialect, dialect_over, spark_dialect, view_statements
from segspark.core.contracts import (
    COHORT_MONTHS,
    ITEM_FACTS,
    ITEMS,
    ORDERS,
    PUBLICATIONS,
    RATINGS,
    RUN_TABLES,
    SEGMENT_CATEGORIES,
    SEGMENT_CHANGES,
    SEGMENT_FACTS,
    SEGMENT_MONTHS,
    SEGMENT_MOVES,
    SEGMENTS,
    TABLES,
    USER_DAYS,
    USER_FACTS,
    USER_FEATURES,
    USER_ITEM_DAYS,
    USER_SEGMENTS,
    USER_SIMILARITY,
    Contract,
)
from segspark.core.lake import Lake
from segspark.core.stage import StageContext, StageResult

NOTES = {  # what an empty table means, and what would fill it
    USER_FACTS: "no user is known; the stage features brings them",
    ITEM_FACTS: "no item is known; the source items or orders would bring them",
    SEGMENT_MONTHS: "no segment was ever active; events, orders or ratings would bring its months",
    COHORT_MONTHS: "nobody ordered; the source orders would bring cohorts and money",
}


def build_marts(context: StageContext) -> StageResult:
    """Writes the tables of core/mart_tables.py but for segment_moves.

    They hold what views cannot add up from run tables, as it stands in logs and day tables. A source that is absent
    leaves its tables empty, with a note.
    """
    people = context.view.frame(USER_FEATURES).select("user_id", "is_bot")
    bots = people.where("is_bot").select("user_id")
    rows = {**_write_users(context, people.where("NOT is_bot").select("user_id"), bots), **_write_items(context, bots)}
    notes = [f"{table.name} is empty: {why}" for table, why in NOTES.items() if not rows[table.name]]
    if not pseudonym_key(context.run.seed).is_secret:
        notes.append(f"user_key: made by a key that follows from the seed, so anybody can tell users; set {VARIABLE}")
    return StageResult(rows=rows, notes=tuple(notes))


def build_moves(context: StageContext) -> StageResult:
    """Writes segment_moves: who came from which segment; empty for a run that is compared with none."""
    view, then = context.view, context.view.earlier
    moves: list[Row] = []
    if then is not None:
        counted = count_moves(view.frame(USER_SEGMENTS), view.frame(SEGMENT_CHANGES), view.frame(USER_FACTS))
        moves = named_moves((row.asDict() for row in counted.collect()), then.rows(SEGMENTS), view.rows(SEGMENTS))
    return StageResult(rows={SEGMENT_MOVES.name: view.write_rows(SEGMENT_MOVES, moves)})


def _write_users(context: StageContext, people: DataFrame, bots: DataFrame) -> dict[str, int]:
    """user_facts, and what segments and cohorts did month by month."""
    view, as_of = context.view, context.run.as_of
    with _kept(user_months(context.lake.read(USER_DAYS), bots, as_of)) as months:
        totals = user_totals(months, people)
        cuts = cut_fifths(row.asDict() for row in count_ranks(totals, as_of).collect())
        with _kept(with_user_key(describe(totals, cuts, as_of), pseudonym_key(context.run.seed))) as facts:
            return {
                USER_FACTS.name: view.write(USER_FACTS, facts),
                SEGMENT_MONTHS.name: view.write(SEGMENT_MONTHS, segment_months(months, _members(context), as_of)),
                SEGMENT_FACTS.name: view.write(SEGMENT_FACTS, segment_facts(facts, _members(context))),
                COHORT_MONTHS.name: view.write(COHORT_MONTHS, cohort_months(months, facts)),
            }


def _write_items(context: StageContext, bots: DataFrame) -> dict[str, int]:
    """item_facts, and what segments bought of each category."""
    lake, view, as_of = context.lake, context.view, context.run.as_of
    orders, ratings = (_seen(context, log) for log in (ORDERS, RATINGS))
    acted_on = users_of_items(lake.read(USER_ITEM_DAYS), ratings, bots, as_of)
    with (
        _kept(purchases_before(orders, bots, as_of)) as purchases,
        _kept(item_facts(purchases, acted_on, lake.read(ITEMS), as_of)) as facts,
    ):
        bought = segment_categories(purchases, facts.select("item_id", "category"), _members(context))
        return {
            ITEM_FACTS.name: view.write(ITEM_FACTS, facts),
            SEGMENT_CATEGORIES.name: view.write(SEGMENT_CATEGORIES, bought),
        }


def _members(context: StageContext) -> DataFrame:
    return context.view.frame(USER_SEGMENTS).select("scheme", "segment_id", "user_id")


def _seen(context: StageContext, log: Contract) -> DataFrame:
    return context.lake.read(log).where(F.col("ingest_seq") <= context.run.ingest_seq)


@contextmanager
def _kept(frame: DataFrame) -> Iterator[DataFrame]:
    """The frame, computed once for all that is made of it inside."""
    frame.persist()
    try:
        yield frame
    finally:
        frame.unpersist()


def register_views(
    lake: Lake, config: MartsConfig, tables: bool = False, logs: bool = False, asked: set[str] | None = None
) -> list[str]:
    """Temporary views in the Spark session, for `segspark query`; returns the names of all that may be asked.

    By default the views of the configured folder, in which nobody is named. With `tables` also each run table of the
    published run, and the tables without personal columns (`source_files`, `runs`, `publications`, `items`). With
    `logs` also all log and day tables. All show the published run, also when another is published later; a table that
    was never written is empty. With `asked` only what these names need is made, which spares a query seconds.
    """
    offered = load_views(config.folder)
    views = needed(offered, asked)
    for statement in view_statements_of(views, _session_dialect(lake), config.min_group, _shapes(lake, views)):
        lake.spark.sql(statement)
    shown = [c for c in TABLES.values() if logs or (tables and (c.kind == "run" or not c.is_personal))]
    wanted = asked if asked is None or NEIGHBOURS not in asked else asked | {USER_SIMILARITY.name}
    _register_tables(lake, [contract for contract in shown if wanted is None or contract.name in wanted])
    names = [*(view.name for view in offered), *(contract.name for contract in shown)]
    return [*names, NEIGHBOURS] if USER_SIMILARITY in shown else names


def printed_views(lake: Lake, config: MartsConfig, dialect: str) -> list[str]:
    """The statements that make all views for another reader, in an order in which they can be run.

    First the published run's rows of each run table that was ever written, then the views of the configured folder.
    """
    written = [contract.name for contract in RUN_TABLES if lake.exists(contract)]
    views, spoken = load_views(config.folder), dialect_over(dialect, lake.root)
    marts = view_statements_of(views, spoken, config.min_group, _shapes(lake, views))
    return [*view_statements(dialect, lake.root, written), *marts]


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


def _session_dialect(lake: Lake) -> Dialect:
    return replace(spark_dialect(lake.identifier), create="CREATE OR REPLACE TEMPORARY VIEW")


def _shapes(lake: Lake, views: tuple[MartView, ...]) -> dict[str, list[str]]:
    """The columns of the tables that the views read, and of the publications."""
    names = {name for view in views for _, name in view.tables} | {PUBLICATIONS.name}
    return {name: lake.columns(TABLES[name]) for name in sorted(names)}


def _temporary_view(lake: Lake, name: str, query: str) -> None:
    """A view by its text, which is read anew at each query: a frame would keep the publication it first saw."""
    lake.spark.sql(f"CREATE OR REPLACE TEMPORARY VIEW `{name}` AS {query}")
