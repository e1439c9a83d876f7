"""Lists from neighbours: users' sparse rows times a sparse matrix of items, blocks of users against blocks of items."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from itertools import groupby

import numpy as np
import pyarrow as pa
from pyspark.sql import DataFrame
from pyspark.sql import functions as F
from scipy import sparse

from segspark.recommend.blocks import as_they_are, pack_sparse, records, stream, unpack_sparse
from segspark.recommend.neighbours.measures import keep_cells
from segspark.recommend.ranking import Best
from segspark.recommend.sizes import block_count
from segspark.recommend.topn import LISTS, ListPlan

LEFT_STEP, OWN_STEP = -2, -1  # what a task gets before the blocks of items, in this order
DIGITS = 10  # significant digits of a score: equal sums in another order differ in the last bits
SLACK = 10.0 ** (1 - DIGITS)  # such a part below a bound, a score may still round up to it
CELLS_AT_A_TIME = 2_000_000  # most cells of a product that is in memory at once: 220 MB where all of a user's tie
GROUPS_PER_PLACE = 4  # groups of columns per place of a list, from whose highest scores a bound comes
PAIRS_AT_A_TIME = 50_000  # listed pairs whose reasons are looked for at once


def item_cf_lists(train: DataFrame, neighbours: DataFrame, closed: DataFrame, items: int, plan: ListPlan) -> DataFrame:
    """Lists (as LISTS of topn) from the neighbours of the user's items (Deshpande and Karypis 2004).

    `train` has the users' pairs: user_no, item_no, weight, action; `neighbours` are those of each item, as NEIGHBOURS
    of similarity: by what users did, or by content. Score of an item: sum over the user's items that have it as a
    neighbour of weight times similarity. `because_no` is the item with the largest part in it. Neighbours with a
    similarity below 0 are not asked. Users none of whose items has an allowed neighbour get no list.
    """
    return sparse_lists(*item_cf_sides(train, neighbours), train, closed, items, items, plan)


def user_cf_lists(train: DataFrame, neighbours: DataFrame, closed: DataFrame, items: int, plan: ListPlan) -> DataFrame:
    """Lists (as LISTS of topn, without a reason) from what the user's neighbours have.

    `train` has everybody's pairs: user_no, item_no, weight, action; `neighbours` are those of each user who gets a
    list, as NEIGHBOURS of similarity. Score of an item: sum over the neighbours of similarity times their weight.
    Neighbours with a similarity below 0 are not asked.
    """
    plain = replace(plan, explain=False)
    return sparse_lists(*user_cf_sides(train, neighbours), train, closed, plan.users, items, plain)


def item_cf_sides(train: DataFrame, neighbours: DataFrame) -> tuple[DataFrame, DataFrame]:
    """`left` and `right` of sparse_lists for item_cf_lists: a user's keys are the user's items."""
    left = train.select("user_no", F.col("item_no").alias("key_no"), "weight")
    near = neighbours.where("similarity > 0").withColumnRenamed("similarity", "weight")
    return left, near.select(F.col("row_no").alias("key_no"), F.col("neighbour_no").alias("item_no"), "weight")


def user_cf_sides(train: DataFrame, neighbours: DataFrame) -> tuple[DataFrame, DataFrame]:
    """`left` and `right` of sparse_lists for user_cf_lists: a user's keys are the user's neighbours."""
    near = neighbours.where("similarity > 0").withColumnRenamed("similarity", "weight")
    left = near.select(F.col("row_no").alias("user_no"), F.col("neighbour_no").alias("key_no"), "weight")
    return left, train.select(F.col("user_no").alias("key_no"), "item_no", "weight")


def sparse_lists(
    left: DataFrame, right: DataFrame, own: DataFrame, closed: DataFrame, keys: int, items: int, plan: ListPlan
) -> DataFrame:
    """One row per user and place, as LISTS of topn: the items with the highest scores above 0.

    Score is the sum over keys of the weights in `left` (user_no, key_no, weight) and `right` (key_no, item_no, weight),
    each pair once, to 10 significant digits; ties by item_no. `own` (user_no, item_no, action) are the users' items,
    left out as `plan` says; `closed` (item_no) is what nobody may get. With `explain`, `because_no` is the key with the
    largest part in the score, ties by number, with the user's action on it: keys are then items. `keys` and `items` are
    one more than the highest numbers. A task holds one block of users, one of items, a part of their product and, with
    `explain`, all of `right`.
    """
    users, count = plan.user_block_rows, block_count(plan.users, plan.user_block_rows)
    every_task = F.explode(F.sequence(F.lit(0), F.lit(count - 1)))
    open_right = right.join(closed.select("item_no").distinct(), on="item_no", how="left_anti")
    of_users = pack_sparse(left, "user_no", "key_no", "weight", plan.users, users, as_they_are)
    of_own = pack_sparse(own, "user_no", "item_no", "action", plan.users, users, as_they_are)
    of_items = pack_sparse(open_right, "item_no", "key_no", "weight", items, plan.item_block_rows, as_they_are)
    tasks = of_items.withColumn("task", every_task).withColumnRenamed("block", "step")
    for step, packed in ((LEFT_STEP, of_users), (OWN_STEP, of_own)):
        tasks = tasks.unionByName(packed.withColumnRenamed("block", "task").withColumn("step", F.lit(step)))

    def work(batches: Iterator[pa.RecordBatch]) -> Iterator[pa.RecordBatch]:
        for _, rows in groupby(records(batches), key=lambda record: record["task"]):
            yield from _lists_of_task(rows, keys, items, plan)

    return stream(tasks, count, work, LISTS)


def _lists_of_task(rows: Iterator[dict], keys: int, items: int, plan: ListPlan) -> Iterator[pa.RecordBatch]:
    first = next(rows)
    if first["step"] != LEFT_STEP:  # no user of this block has a key
        return
    lists = SparseLists(first["task"] * plan.user_block_rows, unpack_sparse(first, keys), plan)
    width = block_count(items, plan.item_block_rows) * plan.item_block_rows
    for row in rows:
        if row["step"] == OWN_STEP:
            lists.set_own(unpack_sparse(row, width))
        else:
            lists.offer(row["step"] * plan.item_block_rows, unpack_sparse(row, keys))
    yield from lists.batches()


class SparseLists:
    """The lists of one block of users, as the blocks of items come by; `first` is the number of its first user."""

    def __init__(self, first: int, left: sparse.csr_matrix, plan: ListPlan) -> None:
        self.first, self.left, self.plan = first, left, plan
        self.best = Best(left.shape[0], plan.top_n)
        self.own: sparse.csr_matrix | None = None
        self.left_out: sparse.csc_matrix | None = None
        self.right: list[tuple[int, sparse.csr_matrix]] = []

    def set_own(self, own: sparse.csr_matrix) -> None:
        """The users' own items, actions as cells."""
        self.own = own
        if self.plan.leave_out is not None:
            endless = np.full(len(own.data), np.inf)
            self.left_out = keep_cells(own, endless, own.data >= self.plan.leave_out).tocsc()

    def offer(self, first_item: int, right: sparse.csr_matrix) -> None:
        """Scores a block of items, given as rows, for every user."""
        if self.plan.explain:
            self.right.append((first_item, right))
        columns, width = right.T.tocsr(), right.shape[0]
        left_out = None if self.left_out is None else self.left_out[:, first_item : first_item + width].tocsr()
        height = max(1, CELLS_AT_A_TIME // width)
        for top in range(0, self.left.shape[0], height):
            scores = self.left[top : top + height] @ columns
            if left_out is not None:
                scores = scores - left_out[top : top + height]
            self._keep_best(scores, top, first_item)

    def _keep_best(self, scores: sparse.csr_matrix, top: int, first_item: int) -> None:
        lengths = np.diff(scores.indptr)
        bounds = np.maximum(self.best.bounds()[top : top + len(lengths)], low_bounds(scores, self.plan.top_n))
        lowest = np.where(bounds > 0, bounds * (1 - SLACK), np.finfo(float).tiny)
        good = np.flatnonzero(scores.data >= np.repeat(lowest, lengths))
        row = np.searchsorted(scores.indptr, good, side="right") - 1 + top
        item = scores.indices[good].astype(np.int64) + first_item
        self.best.merge(row, item, to_significant(scores.data[good]))

    def batches(self) -> Iterator[pa.RecordBatch]:
        """The lists, in one batch."""
        row, rank, item, score = self.best.ranked()
        because, action = self._reasons(row, item)
        arrays = [pa.array(values, pa.int32()) for values in (row + self.first, rank, item)]
        arrays.append(pa.array(score, pa.float64()))
        arrays += [pa.array(values, pa.int32(), mask=action == 0) for values in (because, action)]
        names = ["user_no", "rank", "item_no", "score", "because_no", "because_action"]
        yield pa.RecordBatch.from_arrays(arrays, names=names)

    def _reasons(self, row: np.ndarray, item: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """The key with the largest part in each listed score and the action on it; action 0 where there is none."""
        because, action = np.zeros(len(row), np.int32), np.zeros(len(row), np.int32)
        if self.own is None:
            return because, action
        for first_item, right in self.right:
            listed = np.flatnonzero((item >= first_item) & (item < first_item + right.shape[0]))
            for start in range(0, len(listed), PAIRS_AT_A_TIME):
                part = listed[start : start + PAIRS_AT_A_TIME]
                shares = self.left[row[part]].multiply(right[item[part] - first_item]).tocsr()
                because[part] = highest_columns(shares)
                action[part] = np.asarray(self.own[row[part], because[part]]).ravel()
        return because, action


def low_bounds(scores: sparse.csr_matrix, size: int) -> np.ndarray:
    """A bound for each row that at least `size` of its cells reach and, in long rows, not many more.

    It is the `size`-th highest among the highest cells of groups of columns; minus infinity where most rows are short.
    """
    rows, groups = scores.shape[0], GROUPS_PER_PLACE * size
    if len(scores.data) < 2 * rows * groups:
        return np.full(rows, -np.inf)
    place = np.repeat(np.arange(rows) * groups, np.diff(scores.indptr)) + scores.indices % groups
    highest = np.full(rows * groups, -np.inf)
    np.maximum.at(highest, place, scores.data)
    return np.partition(highest.reshape(rows, groups), -size, axis=1)[:, -size]


def to_significant(values: np.ndarray) -> np.ndarray:
    """Positive numbers to 10 significant digits."""
    digits = np.clip(DIGITS - 1 - np.floor(np.log10(values)), -300, 300)
    up, down = 10.0 ** np.maximum(digits, 0), 10.0 ** np.maximum(-digits, 0)
    return np.round(values * up / down) / up * down


def highest_columns(matrix: sparse.csr_matrix) -> np.ndarray:
    """The column of each row's highest cell, the lowest of equal ones; 0 where a row is empty."""
    matrix.sort_indices()
    lengths = np.diff(matrix.indptr)
    filled = np.flatnonzero(lengths)
    columns = np.zeros(matrix.shape[0], np.int64)
    if len(filled):
        highest = np.maximum.reduceat(matrix.data, matrix.indptr[:-1][filled])
        hits = np.flatnonzero(matrix.data == np.repeat(highest, lengths[filled]))
        rows, first = np.unique(np.repeat(filled, lengths[filled])[hits], return_index=True)
        columns[rows] = matrix.indices[hits[first]]
    return columns
