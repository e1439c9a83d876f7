"""All of the marts that knows the lake: the tables that a run writes for BI."""

from collections.abc import Iterator
from contextlib import contextmanager

from pyspark.sql import DataFrame
from pyspark.sql import functions as F

from segspark.bi.marts.items import item_facts, purchases_before, segment_categories, users_of_items
from segspark.bi.marts.keys import VARIABLE, pseudonym_key
from segspark.bi.marts.months import cohort_months, segment_facts, segment_months, user_months
from segspark.bi.marts.moves import Row, count_moves, named_moves
from segspark.bi.marts.pseudonyms import with_user_key
from segspark.bi.marts.scores import count_ranks, cut_fifths, describe, user_totals
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
