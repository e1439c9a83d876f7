"""All of the marts that knows the lake: the tables that a run writes for BI."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass

from pyspark.sql import DataFrame
from pyspark.sql import functions as F

from segspark.bi.marts.items import acts_on_items, item_facts, purchases_before, segment_categories, users_of_items
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
from segspark.core.extent import few_in_one
from segspark.core.stage import StageContext, StageResult

MEMBER = ("scheme", "segment_id", "user_id")
NOTES = {  # what an empty table means, and what would fill it
    USER_FACTS: "no user is known; the stage features brings them",
    ITEM_FACTS: "no item is known; the source items or orders would bring them",
    SEGMENT_MONTHS: "no segment was ever active; events, orders or ratings would bring its months",
    COHORT_MONTHS: "nobody ordered; the source orders would bring cohorts and money",
}


@dataclass(frozen=True)
class _Tables:
    """What the marts are made of, as the run sees it. Few rows are one partition, and then nothing is shuffled."""

    context: StageContext
    rows: int  # of all logs and day tables

    def read(self, table: Contract) -> DataFrame:
        """A log without what came after the run, or a day table."""
        frame = self.context.lake.read(table)
        of_run = F.col("ingest_seq") <= self.context.run.ingest_seq
        return self.together(frame.where(of_run) if table in (ORDERS, RATINGS) else frame)

    def of_run(self, table: Contract, *columns: str) -> DataFrame:
        """Columns of a run table."""
        return self.together(self.context.view.frame(table).select(*columns))

    def together(self, frame: DataFrame) -> DataFrame:
        """The frame, in one partition where rows are few."""
        return few_in_one(frame, self.rows)

    @contextmanager
    def kept(self, frame: DataFrame) -> Iterator[DataFrame]:
        """The frame, computed once for all that is made of it inside."""
        frame.persist()
        try:
            yield self.together(frame)
        finally:
            frame.unpersist()


def build_marts(context: StageContext) -> StageResult:
    """Writes the tables of core/mart_tables.py but for segment_moves.

    They hold what views cannot add up from run tables, as it stands in logs and day tables. A source that is absent
    leaves its tables empty, with a note.
    """
    sources = (USER_DAYS, USER_ITEM_DAYS, ORDERS, RATINGS)
    tables = _Tables(context, sum(context.lake.extent(table).rows for table in sources))
    people = tables.of_run(USER_FEATURES, "user_id", "is_bot")
    users, bots = (people.where(kind).select("user_id") for kind in ("NOT is_bot", "is_bot"))
    rows = {**_write_users(tables, users, bots), **_write_items(tables, bots)}
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


def _write_users(tables: _Tables, users: DataFrame, bots: DataFrame) -> dict[str, int]:
    """user_facts, and what segments and cohorts did month by month."""
    view, run = tables.context.view, tables.context.run
    members = tables.of_run(USER_SEGMENTS, *MEMBER)
    with tables.kept(user_months(tables.read(USER_DAYS), bots, run.as_of)) as months:
        totals = user_totals(months, users)
        cuts = cut_fifths(row.asDict() for row in count_ranks(totals, run.as_of).collect())
        described = with_user_key(describe(totals, cuts, run.as_of), pseudonym_key(run.seed))
        with tables.kept(described) as facts:
            return {
                USER_FACTS.name: view.write(USER_FACTS, facts),
                SEGMENT_MONTHS.name: view.write(SEGMENT_MONTHS, segment_months(months, members, run.as_of)),
                SEGMENT_FACTS.name: view.write(SEGMENT_FACTS, segment_facts(facts, members)),
                COHORT_MONTHS.name: view.write(COHORT_MONTHS, cohort_months(months, facts)),
            }


def _write_items(tables: _Tables, bots: DataFrame) -> dict[str, int]:
    """item_facts, and what segments bought of each category."""
    view, as_of = tables.context.view, tables.context.run.as_of
    acts = tables.together(acts_on_items(tables.read(USER_ITEM_DAYS), tables.read(RATINGS)))
    users = users_of_items(acts, bots, as_of)
    with (
        tables.kept(purchases_before(tables.read(ORDERS), bots, as_of)) as purchases,
        tables.kept(item_facts(purchases, users, tables.read(ITEMS), as_of)) as facts,
    ):
        members = tables.of_run(USER_SEGMENTS, *MEMBER)
        bought = segment_categories(purchases, facts.select("item_id", "category"), members)
        return {
            ITEM_FACTS.name: view.write(ITEM_FACTS, facts),
            SEGMENT_CATEGORIES.name: view.write(SEGMENT_CATEGORIES, bought),
        }
