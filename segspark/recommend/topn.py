"""The best items of every user by dense products of factors: blocks of users against blocks of items."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from itertools import groupby

import numpy as np
import pyarrow as pa
from pyspark.sql import DataFrame
from pyspark.sql import functions as F

from segspark.recommend.blocks import pack_dense, records, stream, unpack_dense
from segspark.recommend.interactions import BOUGHT
from segspark.recommend.places import CappedPlaces, Places
from segspark.recommend.sizes import block_count
from segspark.recommend.vectors import Factors

LISTS = "user_no int, rank int, item_no int, score double, because_no int, because_action int"
USER_STEP, OWN_STEP, CATEGORY_STEP, CLOSED_STEP = -4, -3, -2, -1  # before the blocks of items, in this order
CELLS_AT_A_TIME = 1_000_000  # scores that are in memory at once: 4 MB as float32


@dataclass(frozen=True)
class ListPlan:
    """How lists are made. Plain values: it travels to the executors."""

    users: int  # one more than the highest user_no
    top_n: int
    leave_out: int | None  # an own item is left out from this action on; None: own items stay
    explain: bool  # whether each row names the own item that is nearest; the task then keeps all item factors
    user_block_rows: int
    item_block_rows: int
    max_per_category: int | None = None  # items of one category in a list
    tasks_at_once: int = 1  # blocks of users that one call of a Python worker takes, one after another


def best_items(
    factors: Factors, own: DataFrame, closed: DataFrame, plan: ListPlan, categories: DataFrame | None = None
) -> DataFrame:
    """One row per user and place: user_no, rank, item_no, score and, where asked, because_no and because_action.

    Score is the product of the two vectors, to 6 decimals; ties by item_no. `own` (user_no, item_no, action) are the
    users' items, `closed` (item_no) what nobody may get. `because_no` is the own item whose factors are nearest by
    cosine to the recommended one's, with the user's action on it; null without own items. `categories` (item_no,
    category_no from 0) are what the plan's max_per_category looks at: a list is what a walk down the whole ranking
    keeps; an item without a category counts for itself. A task holds one block of users with their items and one block
    of items, 8 bytes for each closed item or category, and with `explain` the factors of all items (4 * items * rank).
    """
    count = block_count(plan.users, plan.user_block_rows)
    every_task = F.explode(F.sequence(F.lit(0), F.lit(count - 1)))
    users = pack_dense(factors.users, "user_no", plan.user_block_rows)
    items = pack_dense(factors.items, "item_no", plan.item_block_rows)
    steps = [
        users.select(F.col("block").alias("task"), F.lit(USER_STEP).alias("step"), "numbers", "cells"),
        _pack_own(own, count, plan.user_block_rows),
        _pack_closed(closed).withColumn("task", every_task).withColumn("step", F.lit(CLOSED_STEP)),
        items.withColumn("task", every_task).withColumnRenamed("block", "step"),
    ]
    if categories is not None and plan.max_per_category is not None:
        steps.append(_pack_categories(categories).withColumn("task", every_task))
    tasks = steps[0]
    for step in steps[1:]:
        tasks = tasks.unionByName(step)

    def work(batches: Iterator[pa.RecordBatch]) -> Iterator[pa.RecordBatch]:
        for _, rows in groupby(records(batches), key=lambda record: record["task"]):
            yield from _lists_of_task(rows, plan)

    return stream(tasks, count, work, LISTS, plan.tasks_at_once)


def _pack_own(own: DataFrame, count: int, block_rows: int) -> DataFrame:
    """The own items of each block of users: user_no, item_no and action one after another, by user and item."""
    names = ("user_no", "item_no", "action")
    triples = own.select("user_no", "item_no", F.col("action").cast("int").alias("action"))
    by_block = triples.repartitionById(count, F.expr(f"int(user_no div {block_rows})"))

    def pack(batches: Iterator[pa.RecordBatch]) -> Iterator[pa.RecordBatch]:
        arrays = [[batch.column(name).to_numpy() for name in names] for batch in batches]
        if not arrays:
            return
        user, item, action = (np.concatenate(parts) for parts in zip(*arrays, strict=True))
        order = np.lexsort((item, user))
        block = user // block_rows
        for task in np.unique(block):
            mine = order[block[order] == task]
            cells = np.concatenate([user[mine], item[mine], action[mine]]).tobytes()
            ints = [pa.array([value], pa.int32()) for value in (task, OWN_STEP)]
            parts = [pa.array([value], pa.binary()) for value in (b"", cells)]
            yield pa.RecordBatch.from_arrays([*ints, *parts], names=["task", "step", "numbers", "cells"])

    return by_block.mapInArrow(pack, "task int, step int, numbers binary, cells binary")


def _pack_closed(closed: DataFrame) -> DataFrame:
    """One row with all closed items: 4 bytes each."""

    def pack(table: pa.Table) -> pa.Table:
        numbers = np.sort(table["item_no"].to_numpy().astype(np.int32)).tobytes()
        return pa.table({"numbers": pa.array([numbers], pa.binary()), "cells": pa.array([b""], pa.binary())})

    rows = closed.select("item_no", F.lit(0).alias("one"))
    return rows.groupBy("one").applyInArrow(pack, "numbers binary, cells binary")


def _pack_categories(categories: DataFrame) -> DataFrame:
    """One row with the category of every item that has one, by item_no."""

    def pack(table: pa.Table) -> pa.Table:
        item, category = (table[name].to_numpy().astype(np.int32) for name in ("item_no", "category_no"))
        order = np.argsort(item)
        parts = [pa.array([part[order].tobytes()], pa.binary()) for part in (item, category)]
        return pa.table([pa.array([CATEGORY_STEP], pa.int32()), *parts], names=["step", "numbers", "cells"])

    rows = categories.select("item_no", "category_no", F.lit(0).alias("one"))
    return rows.groupBy("one").applyInArrow(pack, "step int, numbers binary, cells binary")


def _lists_of_task(rows: Iterator[dict], plan: ListPlan) -> Iterator[pa.RecordBatch]:
    first = next(rows)
    if first["step"] != USER_STEP:  # no user of this block has a vector
        return
    lists = BlockLists(*unpack_dense(first), plan)
    for row in rows:
        if row["step"] == OWN_STEP:
            lists.own(*np.frombuffer(row["cells"], np.int32).reshape(3, -1))
        elif row["step"] == CATEGORY_STEP:
            lists.cap(*(np.frombuffer(row[name], np.int32) for name in ("numbers", "cells")))
        elif row["step"] == CLOSED_STEP:
            lists.closed = np.frombuffer(row["numbers"], np.int32)
        else:
            lists.offer(*unpack_dense(row))
    yield from lists.batches()


class BlockLists:
    """The lists of one block of users, as the blocks of items come by."""

    def __init__(self, numbers: np.ndarray, vectors: np.ndarray, plan: ListPlan) -> None:
        self.numbers, self.vectors, self.plan = numbers, vectors, plan
        self.places = Places(len(numbers), plan.top_n)
        self.closed = np.zeros(0, np.int32)
        self.items: list[tuple[np.ndarray, np.ndarray]] = []
        nothing = np.zeros(0, np.int64)
        self.own(nothing, nothing, nothing)

    def own(self, user_no: np.ndarray, item_no: np.ndarray, action: np.ndarray) -> None:
        """The users' own items, sorted by user and item; those of users without a vector are dropped."""
        place = np.searchsorted(self.numbers, user_no)
        known = self.numbers[np.minimum(place, len(self.numbers) - 1)] == user_no
        self.own_row, self.own_item, self.own_action = place[known], item_no[known], action[known]
        self.own_start = np.searchsorted(self.own_row, np.arange(len(self.numbers) + 1))

    def cap(self, item_no: np.ndarray, category: np.ndarray) -> None:
        """Before the first block of items: no more of one category than the plan says."""
        most = self.plan.max_per_category
        if most is not None:
            self.places = CappedPlaces(len(self.numbers), self.plan.top_n, most, item_no, category)

    def offer(self, item_no: np.ndarray, vectors: np.ndarray) -> None:
        """Scores a block of items for every user."""
        if self.plan.explain:
            self.items.append((item_no, vectors))
        closed = np.flatnonzero(np.isin(item_no, self.closed))
        self.places.start(item_no)
        height = max(1, CELLS_AT_A_TIME // len(item_no))
        for first in range(0, len(self.numbers), height):
            rows = slice(first, min(first + height, len(self.numbers)))
            scores = self.vectors[rows] @ vectors.T
            scores[:, closed] = -np.inf
            self._leave_out(scores, rows, item_no)
            self.places.take(scores, first)

    def _leave_out(self, scores: np.ndarray, rows: slice, item_no: np.ndarray) -> None:
        if self.plan.leave_out is None:
            return
        mine = slice(self.own_start[rows.start], self.own_start[rows.stop])
        row, item, action = self.own_row[mine], self.own_item[mine], self.own_action[mine]
        place = np.minimum(np.searchsorted(item_no, item), len(item_no) - 1)
        hit = (item_no[place] == item) & (action >= self.plan.leave_out)
        scores[row[hit] - rows.start, place[hit]] = -np.inf

    def batches(self) -> Iterator[pa.RecordBatch]:
        """The lists, in one batch."""
        row, rank, item, score = self.places.best.ranked()
        because, action = self._reasons(row, item)
        ints = [self.numbers[row], rank, item]
        arrays = [pa.array(values, pa.int32()) for values in ints] + [pa.array(score, pa.float64())]
        unknown = because < 0
        arrays += [pa.array(values, pa.int32(), mask=unknown) for values in (because, action)]
        names = ["user_no", "rank", "item_no", "score", "because_no", "because_action"]
        yield pa.RecordBatch.from_arrays(arrays, names=names)

    def _reasons(self, row: np.ndarray, item: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        because, action = np.full(len(row), -1, np.int32), np.zeros(len(row), np.int32)
        if not self.items or len(row) == 0:
            return because, action
        numbers = np.concatenate([part for part, _ in self.items])
        vectors = np.concatenate([part for _, part in self.items])
        vectors = vectors / np.maximum(np.linalg.norm(vectors, axis=1, keepdims=True), np.float32(1e-30))
        own_place, item_place = np.searchsorted(numbers, self.own_item), np.searchsorted(numbers, item)
        starts = np.searchsorted(row, np.arange(len(self.numbers) + 1))
        for user in np.unique(row):
            mine = slice(self.own_start[user], self.own_start[user + 1])
            listed = slice(starts[user], starts[user + 1])
            if mine.start == mine.stop:
                continue
            nearest = mine.start + np.argmax(vectors[item_place[listed]] @ vectors[own_place[mine]].T, axis=1)
            because[listed], action[listed] = self.own_item[nearest], self.own_action[nearest]
        return because, action


def leave_out_from(exclude_seen: bool, seen: str) -> int | None:
    """The least action from which an own item is left out, for ListPlan."""
    if not exclude_seen:
        return None
    return BOUGHT if seen == "bought" else 1
