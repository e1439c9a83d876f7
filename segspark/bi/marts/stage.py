"""All of the marts that knows the lake: the tables that a run writes for BI."""

from collections.abc import Iterator
from contextlib import contextmanager

from pyspark.sql import DataFrame
from pyspark.sql import functions as F

from segspark.bi.marts.items import item_facts, purchases_before, segment_categories, users_of_items
from segspark.bi.marts.keys import VARIABLE, pseudonym_key
from segspark.bi.marts.months import cohort_months, segment_facts, segment_months, user_months
from segspark.bi.marts.moves import segment_moves
from segspark.bi.marts.pseudonyms import with_user_key
from segspark.bi.marts.scores import Cuts, count_ranks, cut_fifths, describe, user_totals
from segspark.core.contracts import (
    COHORT_MONTHS,
    ITEM_FACTS,
    ITEMS,
    ORDERS,
    RATINGS,
    SEGMENT_CATEGORIES,
    SEGMENT_CHANGES,
    SEGMENT_FACTS,
    SEGMENT_MONTHS,
    SEGMENT_MOVES,
    SEGMENTS,
    USER_DAYS,
    USER_FACTS,
    USER_FEATURES,
    USER_ITEM_DAYS,
    USER_SEGMENTS,
    Contract,
)
from segspark.core.stage import StageContext, StageResult

NOTES = {  # what an empty table means, and what would fill it
    USER_FACTS: "no user is known; the stage features brings them",
    ITEM_FACTS: "no item is known; the source items or orders would bring them",
    SEGMENT_MONTHS: "no segment was ever active; events, orders or ratings would bring its months",
    COHORT_MONTHS: "nobody ordered; the source orders would bring cohorts and money",
}


def build_marts(context: StageContext) -> StageResult:
    """Writes the tables of core/mart_tables.py.

    They hold what views cannot add up from run tables, as it stands in logs and day tables. A source that is absent
    leaves its tables empty, with a note.
    """
    bots = context.lake.read_run(USER_FEATURES, context.run.run_id).where("is_bot").select("user_id")
    with _kept(bots):
        rows = {**_write_users(context, bots), **_write_items(context, bots), **_write_moves(context)}
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


def _write_moves(context: StageContext) -> dict[str, int]:
    """Who came from which segment; empty for a run that is compared with none."""
    lake, run = context.lake, context.run
    moves = segment_moves(
        lake.read_run(USER_SEGMENTS, run.run_id),
        lake.read_run(SEGMENT_CHANGES, run.run_id),
        lake.read_run(USER_FACTS, run.run_id),
        now=lake.read_run(SEGMENTS, run.run_id),
        then=lake.read_run(SEGMENTS, run.previous or ""),
    )
    return {SEGMENT_MOVES.name: lake.replace_run(SEGMENT_MOVES, moves, run.run_id)}


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
