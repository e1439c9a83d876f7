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
from segspark.bi.marts.moves import segment_moves
from segspark.bi.marts.pseudonyms import VARIABLE, pseudonym_key, with_user_key
from segspark.bi.marts.rendering import view_statements_of
from segspark.bi.marts.scores import Cuts, count_ranks, cut_fifths, describe, user_totals
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
    bots = context.lake.read_run(USER_FEATURES, context.run.run_id).where("is_bot").select("user_id")
    with _kept(bots):
        rows = {**_write_users(context, bots), **_write_items(context, bots)}
    notes = [f"{table.name} is empty: {why}" for table, why in NOTES.items() if not rows[table.name]]
    if not pseudonym_key(context.run.seed).is_secret:
        notes.append(f"user_key: made by a key that follows from the seed, so anybody can tell users; set {VARIABLE}")
    return StageResult(rows=rows, notes=tuple(notes))


def _write_users(context: StageContext, bots: DataFrame) -> dict[str, int]:
    """user_facts, and what segments and cohorts did month by month."""
    lake, run = context.lake, context.run
    months = user_months(lake.read(USER_DAYS), bots, run.as_of).repartition("user_id")
    with _kept(months):
        people = lake.read_run(USER_FEATURES, run.run_id).where("NOT is_bot").select("user_id")
        totals = user_totals(months, people)
        cuts: Cuts = {}
        for row in cut_fifths(count_ranks(totals, run.as_of)).collect():
            cuts.setdefault(row.measure, {})[row.score] = row.least
        facts = with_user_key(describe(totals, cuts, run.as_of), pseudonym_key(run.seed))
        rows = {USER_FACTS.name: lake.replace_run(USER_FACTS, facts, run.run_id)}
        by_segment = segment_months(months, _members(context), run.as_of)
        rows[SEGMENT_MONTHS.name] = lake.replace_run(SEGMENT_MONTHS, by_segment, run.run_id)
        written = lake.read_run(USER_FACTS, run.run_id)
        of_segments = segment_facts(written, _members(context))
        rows[SEGMENT_FACTS.name] = lake.replace_run(SEGMENT_FACTS, of_segments, run.run_id)
        by_cohort = cohort_months(months, written)
        rows[COHORT_MONTHS.name] = lake.replace_run(COHORT_MONTHS, by_cohort, run.run_id)
    return rows


def _write_items(context: StageContext, bots: DataFrame) -> dict[str, int]:
    """item_facts, and what segments bought of each category."""
    lake, run = context.lake, context.run
    orders, ratings = (_seen(context, log) for log in (ORDERS, RATINGS))
    purchases = purchases_before(orders, bots, run.as_of)
    with _kept(purchases):
        acted_on = users_of_items(lake.read(USER_ITEM_DAYS), ratings, bots, run.as_of)
        facts = item_facts(purchases, acted_on, lake.read(ITEMS), run.as_of)
        rows = {ITEM_FACTS.name: lake.replace_run(ITEM_FACTS, facts, run.run_id)}
        categories = lake.read_run(ITEM_FACTS, run.run_id).select("item_id", "category")
        bought = segment_categories(purchases, categories, _members(context))
        rows[SEGMENT_CATEGORIES.name] = lake.replace_run(SEGMENT_CATEGORIES, bought, run.run_id)
    return rows


def build_moves(context: StageContext) -> StageResult:
    """Writes segment_moves: who came from which segment; empty for a run that is compared with none."""
    lake, run = context.lake, context.run
    moves = segment_moves(
        lake.read_run(USER_SEGMENTS, run.run_id),
        lake.read_run(SEGMENT_CHANGES, run.run_id),
        lake.read_run(USER_FACTS, run.run_id),
        now=lake.read_run(SEGMENTS, run.run_id),
        then=lake.read_run(SEGMENTS, run.previous or ""),
    )
    return StageResult(rows={SEGMENT_MOVES.name: lake.replace_run(SEGMENT_MOVES, moves, run.run_id)})


def _members(context: StageContext) -> DataFrame:
    return context.lake.read_run(USER_SEGMENTS, context.run.run_id).select("scheme", "segment_id", "user_id")


def _seen(context: StageContext, log: Contract) -> DataFrame:
    return context.lake.read(log).where(F.col("ingest_seq") <= context.run.ingest_seq)


@contextmanager
def _kept(frame: DataFrame) -> Iterator[None]:
    frame.persist()
    try:
        yield
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
