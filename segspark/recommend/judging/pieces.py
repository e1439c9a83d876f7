"""All that judging takes, cut into pieces and brought to blocks of users: one query for all methods and measures."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import reduce
from itertools import groupby

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from pyspark.sql import Column, DataFrame
from pyspark.sql import functions as F

from segspark.recommend.blocks import records, stream
from segspark.recommend.judging.assessment import Assessment, OwnPairs, Scoring
from segspark.recommend.judging.bootstrap import SUMS, Sums, sums_batch
from segspark.recommend.methods.method import Answer
from segspark.recommend.sizes import block_count
from segspark.recommend.topn import ListPlan

EXPOSURES = "exposures"  # stands for a metric in SUMS where rounds are items, and totals the lists that have them
EXPOSED = ["method", "lists", "times"]
OWN = -2  # the pieces of a task in order: own pairs, of each method its vectors or its lists, facts of the items
KINDS = 4
VECTORS, OFFERED, LISTED, MET = range(KINDS)  # even ones are of users, odd ones of items, which come by twice
PIECE = "part int, block int, rows binary, columns binary, values binary, cells binary"


@dataclass(frozen=True)
class Judged:
    """Whose lists are judged, and by what."""

    pairs: DataFrame  # user_no, item_no, action (null: none), is_judged (a hit of a judged user), is_asked (for auc)
    facts: DataFrame | None = None  # item_no, surprise and vector, as metrics.py uses them


def sums_of(
    answers: Mapping[str, Answer], judged: Judged, plan: ListPlan, rounds: int, seed: int
) -> tuple[pa.Table, pa.Table]:
    """Rows of SUMS for every metric that is a mean over users, of every method and of its difference with popularity.

    Beside them how often items are listed: `times` items stand in `lists` lists of the `method`. A task holds one block
    of users with their lists by every method, and one block of items; only sums are collected.
    """
    methods, facts = list(answers), KINDS * len(answers) + MET
    rows = [_own_rows(judged.pairs, plan), *_rows_of_methods(answers, plan)]
    if judged.facts is not None:
        described = judged.facts.withColumnRenamed("vector", "factors")
        rows.append(_rows(facts, described, "item_no", plan.item_block_rows, value=F.col("surprise")))
    packed = reduce(DataFrame.unionByName, rows).groupBy("part", "block").applyInArrow(pack, PIECE)
    count = block_count(plan.users, plan.user_block_rows)
    tasks = F.when(F.col("part") % 2 == 0, F.array("block")).otherwise(F.sequence(F.lit(0), F.lit(count - 1)))
    twice = F.when(F.pmod("part", F.lit(KINDS)) == OFFERED, F.array("part", F.col("part") + MET - OFFERED))
    steps = packed.withColumn("part", F.explode(F.coalesce(twice, F.array("part"))))
    steps = steps.withColumn("task", F.explode(tasks)).withColumn("step", F.struct("part", "block"))

    def work(batches: Iterator[pa.RecordBatch]) -> Iterator[pa.RecordBatch]:
        for _, pieces in groupby(records(batches), key=lambda record: record["task"]):
            yield from _sums_of_task(pieces, methods, plan, Sums(rounds, seed))

    found = _added(stream(steps, count, work, SUMS, plan.tasks_at_once)).toArrow()
    is_exposure = pc.equal(found["metric"], EXPOSURES)
    exposures = found.filter(is_exposure).select(["method", "round", "users"]).rename_columns(EXPOSED)
    return found.filter(pc.invert(is_exposure)), exposures


def _added(sums: DataFrame) -> DataFrame:
    """The sums of all tasks; of exposures, how many items have as many."""
    names, is_exposure = ("total", "weight", "users"), F.col("metric") == EXPOSURES
    added = sums.groupBy("method", "metric", "round").agg(*(F.sum(name).alias(name) for name in names))
    counted = added.withColumn("round", F.when(is_exposure, F.col("total").cast("int")).otherwise(F.col("round")))
    counted = counted.withColumn("users", F.when(is_exposure, 1.0).otherwise(F.col("users")))
    return counted.groupBy("method", "metric", "round").agg(*(F.sum(name).alias(name) for name in names))


def _own_rows(pairs: DataFrame, plan: ListPlan) -> DataFrame:
    """The pairs that are judged or left out, marked as OwnPairs says."""
    marks = F.coalesce("action", F.lit(0))
    for name, mark in (("is_judged", OwnPairs.JUDGED), ("is_asked", OwnPairs.ASKED)):
        marks += F.when(F.col(name), mark).otherwise(0)
    counts = F.col("is_judged") if plan.leave_out is None else F.col("is_judged") | (F.col("action") >= plan.leave_out)
    return _rows(OWN, pairs.where(counts), "user_no", plan.user_block_rows, column="item_no", value=marks)


def _rows_of_methods(answers: Mapping[str, Answer], plan: ListPlan) -> Iterator[DataFrame]:
    for place, answer in enumerate(answers.values()):
        first = KINDS * place
        if answer.factors is not None:
            yield _rows(first + VECTORS, answer.factors.users, "user_no", plan.user_block_rows)
            yield _rows(first + OFFERED, answer.factors.items, "item_no", plan.item_block_rows)
        elif answer.lists is not None:
            rank = F.col("rank")
            yield _rows(first + LISTED, answer.lists, "user_no", plan.user_block_rows, column="item_no", value=rank)


def _rows(
    part: int, frame: DataFrame, row: str, block_rows: int, column: str | None = None, value: Column | None = None
) -> DataFrame:
    """What `pack` takes: a vector under its number, or a pair and what it is worth."""
    factors = F.col("factors") if "factors" in frame.columns else F.lit(None)
    return frame.select(
        F.lit(part).alias("part"),
        F.expr(f"int({row} div {block_rows})").alias("block"),
        F.col(row).alias("row"),
        (F.lit(0) if column is None else F.col(column)).alias("column"),
        (F.lit(0.0) if value is None else value.cast("double")).alias("value"),
        factors.cast("array<float>").alias("factors"),
    )


def pack(table: pa.Table) -> pa.Table:
    """One PIECE: rows by number, pairs by row and column."""
    row, column = (table[name].to_numpy().astype(np.int32) for name in ("row", "column"))
    order = np.lexsort((column, row))
    flat = table["factors"].combine_chunks().flatten().to_numpy(zero_copy_only=False)
    cells = flat.reshape(len(row), -1)[order] if len(flat) else flat
    parts = [row[order], column[order], table["value"].to_numpy()[order], np.ascontiguousarray(cells, np.float32)]
    binary = [pa.array([part.tobytes()], pa.binary()) for part in parts]
    names = ["part", "block", "rows", "columns", "values", "cells"]
    return pa.table([table["part"].slice(0, 1), table["block"].slice(0, 1), *binary], names=names)


def _unpacked(pieces: Iterable[dict]) -> Iterator[tuple[np.ndarray, ...]]:
    """Rows, columns, values and vectors of each piece."""
    for piece in pieces:
        row, column = (np.frombuffer(piece[name], np.int32) for name in ("rows", "columns"))
        cells = np.frombuffer(piece["cells"], np.float32).reshape(len(row), -1)
        yield row, column, np.frombuffer(piece["values"], np.float64), cells


def _sums_of_task(
    pieces: Iterator[dict], methods: Sequence[str], plan: ListPlan, sums: Sums
) -> Iterator[pa.RecordBatch]:
    assessment = assess(pieces, methods, plan)
    if assessment is None:
        return
    sums.add(assessment.numbers, assessment.figures())
    yield from sums.batches()
    for place, method in enumerate(methods):
        item, times = assessment.exposures(place)
        nothing = np.zeros(len(item))
        yield sums_batch(method, EXPOSURES, item, times, nothing, nothing)


def assess(pieces: Iterator[dict], methods: Sequence[str], plan: ListPlan) -> Assessment | None:
    """What the pieces of one task say, as they come by; None where nobody of the block is judged."""
    assessment: Assessment | None = None
    scoring: dict[int, Scoring] = {}
    for part, group in groupby(pieces, key=lambda piece: piece["part"]):
        method, kind = divmod(part, KINDS)
        blocks = _unpacked(group)
        if part == OWN:
            user, item, marks, _ = next(blocks)
            assessment = Assessment(methods, plan, OwnPairs(user, item, marks.astype(int)))
        elif assessment is None or len(assessment.numbers) == 0:
            return None
        elif method == len(methods):
            for item, _, surprise, vectors in blocks:
                assessment.describe(item, surprise, vectors)
        elif kind == LISTED:
            user, item, rank, _ = next(blocks)
            assessment.take_lists(method, user, item, rank.astype(int))
        elif kind == VECTORS:
            user, _, _, vectors = next(blocks)
            scoring[method] = assessment.scoring(method, user, vectors)
        elif method in scoring:
            _score(scoring[method], kind, blocks)
    return assessment


def _score(scoring: Scoring, kind: int, blocks: Iterable[tuple[np.ndarray, ...]]) -> None:
    take, keep = (scoring.offer, scoring.rank) if kind == OFFERED else (scoring.meet, scoring.measure)
    for item, _, _, vectors in blocks:
        take(item, vectors)
    keep()
