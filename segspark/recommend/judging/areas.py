"""The area under each user's ROC curve, over all candidate items: blocks of users against blocks of items."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from itertools import groupby

import numpy as np
import pyarrow as pa
from pyspark.sql import DataFrame
from pyspark.sql import functions as F

from segspark.recommend.blocks import pack_dense, records, stream, unpack_dense
from segspark.recommend.factors import Factors
from segspark.recommend.judging.metrics import auc
from segspark.recommend.sizes import block_count
from segspark.recommend.topn import ListPlan

AREAS = "user_no int, auc double"
USER_STEP, LEFT_OUT_STEP, RELEVANT_STEP = -3, -2, -1  # what a task gets before the blocks of items, in this order
CELLS_AT_A_TIME = 1_000_000  # scores that are in memory at once: 8 MB
CLOSE = 1e-12  # scores this near, as a share of the sum of the sizes of their terms, are equal
BLOCK = "task int, step int, numbers binary, cells binary"


def user_areas(factors: Factors, own: DataFrame, relevant: DataFrame, plan: ListPlan) -> DataFrame:
    """user_no and auc of each user of `relevant` (user_no, item_no): see metrics.auc; null where no pair is.

    Candidates are the items of `factors` without the user's in `own` (user_no, item_no, action) that the plan leaves
    out; a relevant item is held against the candidates that are not relevant. Equals roc_auc_score of scikit-learn over
    the same scores. A task holds one block of users, their relevant items' vectors and one block of items.
    """
    count = block_count(plan.users, plan.user_block_rows)
    every_task = F.explode(F.sequence(F.lit(0), F.lit(count - 1)))
    users = pack_dense(factors.users, "user_no", plan.user_block_rows)
    items = pack_dense(factors.items, "item_no", plan.item_block_rows)
    with_vectors = relevant.join(factors.items, on="item_no", how="inner")
    tasks = users.select(F.col("block").alias("task"), F.lit(USER_STEP).alias("step"), "numbers", "cells")
    if plan.leave_out is not None:
        left_out = own.where(F.col("action") >= plan.leave_out).select("user_no", "item_no", F.array().alias("factors"))
        tasks = tasks.unionByName(_pack_pairs(left_out, LEFT_OUT_STEP, plan))
    tasks = tasks.unionByName(_pack_pairs(with_vectors, RELEVANT_STEP, plan))
    tasks = tasks.unionByName(items.withColumn("task", every_task).withColumnRenamed("block", "step"))

    def work(batches: Iterator[pa.RecordBatch]) -> Iterator[pa.RecordBatch]:
        for _, rows in groupby(records(batches), key=lambda record: record["task"]):
            yield from _areas_of_task(rows)

    return stream(tasks, count, work, AREAS)


def _pack_pairs(pairs: DataFrame, step: int, plan: ListPlan) -> DataFrame:
    """The pairs of each block of users, by user and item, as BLOCK: user_no then item_no, and the factors in order."""
    block = F.expr(f"int(user_no div {plan.user_block_rows})").alias("task")
    vector = F.col("factors").cast("array<float>").alias("factors")

    def pack(table: pa.Table) -> pa.Table:
        user, item = (table[name].to_numpy().astype(np.int32) for name in ("user_no", "item_no"))
        order = np.lexsort((item, user))
        flat = table["factors"].combine_chunks().flatten().to_numpy(zero_copy_only=False).astype(np.float32)
        cells = flat.reshape(len(user), -1)[order].tobytes()
        numbers = np.concatenate([user[order], item[order]]).tobytes()
        fixed = [table["task"].slice(0, 1), pa.array([step], pa.int32())]
        parts = [pa.array([part], pa.binary()) for part in (numbers, cells)]
        return pa.table([*fixed, *parts], names=["task", "step", "numbers", "cells"])

    return pairs.select(block, "user_no", "item_no", vector).groupBy("task").applyInArrow(pack, BLOCK)


def _areas_of_task(rows: Iterator[dict]) -> Iterator[pa.RecordBatch]:
    first = next(rows)
    if first["step"] != USER_STEP:  # no user of this block has a vector
        return
    numbers, vectors = unpack_dense(first)
    left_out, areas = Pairs.none(), None
    for row in rows:
        if row["step"] == LEFT_OUT_STEP:
            left_out = Pairs.of(row, numbers)
        elif row["step"] == RELEVANT_STEP:
            pairs = Pairs.of(row, numbers)
            areas = _Areas(numbers, vectors, pairs, left_out)
        elif areas is None:  # nothing is relevant to a user of this block
            return
        else:
            areas.meet(*unpack_dense(row))
    if areas is not None:
        yield areas.batch()


@dataclass(frozen=True)
class Pairs:
    """Pairs of a block's users with items, by user and item: the user's row in the block, the item, its vector."""

    row: np.ndarray
    item: np.ndarray
    vectors: np.ndarray

    @classmethod
    def none(cls) -> Pairs:
        """No pair at all."""
        nothing = np.zeros(0, np.int64)
        return cls(nothing, nothing, np.zeros((0, 0)))

    @classmethod
    def of(cls, record: dict, numbers: np.ndarray) -> Pairs:
        """Those of one BLOCK whose user is among `numbers`."""
        user, item = np.frombuffer(record["numbers"], np.int32).reshape(2, -1)
        vectors = np.frombuffer(record["cells"], np.float32).reshape(len(user), -1)
        row = np.searchsorted(numbers, user)
        known = numbers[np.minimum(row, len(numbers) - 1)] == user
        return cls(row[known], item[known], vectors[known])

    def starts(self, rows: int) -> np.ndarray:
        """Where each of the block's rows begins, and the end."""
        return np.searchsorted(self.row, np.arange(rows + 1))


class _Areas:
    """Pairs won and tied by each relevant item of one block of users, as the blocks of items come by."""

    def __init__(self, numbers: np.ndarray, vectors: np.ndarray, relevant: Pairs, left_out: Pairs) -> None:
        asked = np.unique(relevant.row)
        self.numbers, self.vectors = numbers[asked], vectors[asked].astype(np.float64)
        self.relevant = Pairs(np.searchsorted(asked, relevant.row), relevant.item, relevant.vectors)
        mine = np.isin(left_out.row, asked)
        row, item = (
            np.concatenate([np.searchsorted(asked, left_out.row[mine]), self.relevant.row]),
            np.concatenate([left_out.item[mine], self.relevant.item]),
        )
        order = np.lexsort((item, row))
        self.passed_by = Pairs(row[order], item[order], np.zeros((0, 0)))  # neither is met as another candidate
        terms = self.vectors[self.relevant.row] * self.relevant.vectors.astype(np.float64)
        self.score, self.near = terms.sum(axis=1), CLOSE * np.abs(terms).sum(axis=1)
        self.below, self.tied = np.zeros(len(terms)), np.zeros(len(terms))
        self.met = np.zeros(len(asked))

    def meet(self, item_no: np.ndarray, vectors: np.ndarray) -> None:
        """Counts a block of items."""
        height = max(1, CELLS_AT_A_TIME // len(item_no))
        relevant_starts, passed_starts = (pairs.starts(len(self.numbers)) for pairs in (self.relevant, self.passed_by))
        columns = vectors.astype(np.float64).T
        for first in range(0, len(self.numbers), height):
            last = min(first + height, len(self.numbers))
            scores = self.vectors[first:last] @ columns
            self._pass_by(scores, slice(passed_starts[first], passed_starts[last]), first, item_no)
            self.met[first:last] += len(item_no) - np.isnan(scores).sum(axis=1)
            for pair in range(relevant_starts[first], relevant_starts[last]):
                mine, score, near = scores[self.relevant.row[pair] - first], self.score[pair], self.near[pair]
                below = np.count_nonzero(mine < score - near)
                self.below[pair] += below
                self.tied[pair] += np.count_nonzero(mine <= score + near) - below

    def _pass_by(self, scores: np.ndarray, span: slice, first: int, item_no: np.ndarray) -> None:
        row, item = self.passed_by.row[span], self.passed_by.item[span]
        place = np.minimum(np.searchsorted(item_no, item), len(item_no) - 1)
        here = item_no[place] == item
        scores[row[here] - first, place[here]] = np.nan

    def batch(self) -> pa.RecordBatch:
        """The areas of the block's users."""
        users = len(self.numbers)
        below, tied = (np.bincount(self.relevant.row, each, users) for each in (self.below, self.tied))
        found = auc(below, tied, np.bincount(self.relevant.row, minlength=users) * self.met)
        arrays = [pa.array(self.numbers, pa.int32()), pa.array(found, pa.float64(), from_pandas=True)]
        return pa.RecordBatch.from_arrays(arrays, names=["user_no", "auc"])
