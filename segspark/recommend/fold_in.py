"""Vectors for users and items that came after the fit: one least-squares solve each, the fitted other side as it is."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from itertools import groupby
from typing import TYPE_CHECKING

import numpy as np
import pyarrow as pa
from pyspark.sql import DataFrame
from pyspark.sql import functions as F
from scipy import sparse

from segspark.recommend.blocks import pack_dense, records, unpack_dense
from segspark.recommend.sizes import fold_in_block_rows

if TYPE_CHECKING:
    from segspark.recommend.config import RecommendConfig

OWN_STEP = -1  # what a task gets before the blocks of fitted vectors
STEPS = "task int, step int, numbers binary, cells binary"
CELLS_AT_A_TIME = 4_000_000  # doubles of products or of equations that are in memory at once: 32 MB


@dataclass(frozen=True)
class Equations:
    """Which least squares are solved. Plain values: it travels to the executors."""

    rank: int
    reg_param: float
    alpha: float | None  # of implicit ALS; None: explicit
    vector_block_rows: int


def fold_in_users(pairs: DataFrame, item_factors: DataFrame, config: RecommendConfig) -> DataFrame:
    """user_no and factors (array<float>) of each user of `pairs` (user_no, item_no, weight; each pair once).

    What implicit ALS has for such a row once the items' vectors Y are fixed (Hu, Koren, Volinsky 2008; MLlib scales
    reg_param by n, the user's interactions above 0): (Y'Y + Y'(C - I)Y + reg_param * n * I) x = Y'C p, with confidence
    c = 1 + alpha * weight and preference p = 1. Y are all `item_factors` (item_no, factors). Pairs whose item has no
    vector, or of weight 0, count for nothing; a user without any other gets no row. A task solves for one range of
    numbers, which need not begin at 0, streams all items past and holds the range's equations: 4 * rank² bytes a user.
    `pairs` is read twice: a checkpoint serves best.
    """
    return _fold_in(pairs, "user_no", "item_no", item_factors, _implicit(config))


def fold_in_items(pairs: DataFrame, user_factors: DataFrame, config: RecommendConfig) -> DataFrame:
    """item_no and factors of each item of `pairs`, against all `user_factors`: fold_in_users with the sides changed.

    MLlib's own vectors of items are half a step older: they were solved against the users' before the last.
    """
    return _fold_in(pairs, "item_no", "user_no", user_factors, _implicit(config))


def fold_in_raters(ratings: DataFrame, item_factors: DataFrame, config: RecommendConfig) -> DataFrame:
    """user_no and factors as explicit ALS has them: (Y'Y + rating_reg_param * n * I) x = Y'r over the n rated items.

    `weight` is a rating's distance from what to expect, as in fit_explicit; else as fold_in_users (Zhou et al. 2008).
    """
    return _fold_in(ratings, "user_no", "item_no", item_factors, _explicit(config))


def fold_in_rated_items(ratings: DataFrame, user_factors: DataFrame, config: RecommendConfig) -> DataFrame:
    """item_no and factors as explicit ALS would have them: fold_in_raters with the sides changed."""
    return _fold_in(ratings, "item_no", "user_no", user_factors, _explicit(config))


def _implicit(config: RecommendConfig) -> Equations:
    return Equations(config.rank, config.reg_param, config.alpha, config.item_block_rows)


def _explicit(config: RecommendConfig) -> Equations:
    return Equations(config.rank, config.rating_reg_param, None, config.item_block_rows)


def _fold_in(pairs: DataFrame, row: str, column: str, vectors: DataFrame, equations: Equations) -> DataFrame:
    block = F.expr(f"int({row} div {fold_in_block_rows(equations.rank)})")
    names = (F.col(row).alias("row"), F.col(column).alias("column"), F.col("weight").cast("float").alias("weight"))
    own = pairs.select(block.alias("task"), *names).groupBy("task").applyInArrow(_pack_own, STEPS)
    tasks = F.broadcast(pairs.select(block.alias("task")).distinct())
    steps = pack_dense(vectors, column, equations.vector_block_rows).withColumnRenamed("block", "step")
    steps = own.unionByName(steps.crossJoin(tasks).select("task", "step", "numbers", "cells"))

    def work(batches: Iterator[pa.RecordBatch]) -> Iterator[pa.RecordBatch]:
        for _, rows in groupby(records(batches), key=lambda record: record["task"]):
            yield _solved(rows, row, equations)

    ordered = steps.repartition("task").sortWithinPartitions("task", "step")
    return ordered.mapInArrow(work, f"{row} int, factors array<float>")


def _pack_own(table: pa.Table) -> pa.Table:
    """One row with a block's pairs by column and then row: the rows' numbers and the columns', and the weights."""
    row, column, weight = (table[name].to_numpy() for name in ("row", "column", "weight"))
    order = np.lexsort((row, column))
    numbers = np.concatenate([row[order], column[order]]).astype(np.int32).tobytes()
    arrays = [pa.array([OWN_STEP], pa.int32())]
    arrays += [pa.array([part], pa.binary()) for part in (numbers, weight[order].astype(np.float32).tobytes())]
    return pa.table([table["task"].slice(0, 1), *arrays], names=["task", "step", "numbers", "cells"])


def _solved(rows: Iterator[dict], row: str, equations: Equations) -> pa.RecordBatch:
    own = next(rows)  # there is a task only where there are pairs
    numbers = np.frombuffer(own["numbers"], np.int32).reshape(2, -1)
    system = NormalEquations(numbers[0], numbers[1], np.frombuffer(own["cells"], np.float32), equations)
    for record in rows:
        system.add(*unpack_dense(record))
    solved, factors = system.solve()
    lists = pa.ListArray.from_arrays(
        pa.array(np.arange(len(factors) + 1, dtype=np.int32) * equations.rank), pa.array(factors.ravel())
    )
    return pa.RecordBatch.from_arrays([pa.array(solved, pa.int32()), lists], names=[row, "factors"])


class NormalEquations:
    """The equations of the rows of some pairs (ordered by column), as blocks of the columns' vectors come by.

    A row's left side is the sum of its columns' products v v', each times its confidence above 1: a sparse matrix times
    the products of the block. Of a product only the upper triangle is kept, flat.
    """

    def __init__(self, row: np.ndarray, column: np.ndarray, weight: np.ndarray, equations: Equations) -> None:
        self.equations, self.column = equations, column
        self.numbers, self.place = np.unique(row, return_inverse=True)
        self.upper = np.triu_indices(equations.rank)
        self.left = np.zeros((len(self.numbers), len(self.upper[0])))
        self.right = np.zeros((len(self.numbers), equations.rank))
        self.counts = np.zeros(len(self.numbers), np.int64)  # interactions by which MLlib scales reg_param
        self.gram = np.zeros(len(self.upper[0]))
        weight = weight.astype(np.float64)
        if equations.alpha is None:
            self.share, self.target, self.counted = np.ones(len(weight)), weight, np.ones(len(weight), bool)
        else:
            self.share, self.counted = equations.alpha * np.abs(weight), weight > 0
            self.target = np.where(self.counted, 1 + self.share, 0.0)

    def add(self, number: np.ndarray, vectors: np.ndarray) -> None:
        """Takes the vectors of columns, numbers ascending; every column comes once."""
        height = max(1, CELLS_AT_A_TIME // len(self.upper[0]))
        for first in range(0, len(number), height):
            part = slice(first, first + height)
            self._add_part(number[part], vectors[part].astype(np.float64))

    def _add_part(self, number: np.ndarray, vectors: np.ndarray) -> None:
        products = vectors[:, self.upper[0]] * vectors[:, self.upper[1]]
        if self.equations.alpha is not None:
            self.gram += products.sum(axis=0)
        mine = np.arange(*np.searchsorted(self.column, [number[0], number[-1] + 1]))
        at = np.searchsorted(number, self.column[mine])
        is_there = number[at] == self.column[mine]
        mine, at = mine[is_there], at[is_there]
        if len(mine) == 0:
            return
        touched, place = np.unique(self.place[mine], return_inverse=True)
        shape = (len(touched), len(number))
        self.left[touched] += sparse.csr_matrix((self.share[mine], (place, at)), shape=shape) @ products
        self.right[touched] += sparse.csr_matrix((self.target[mine], (place, at)), shape=shape) @ vectors
        self.counts[touched] += np.bincount(place, weights=self.counted[mine]).astype(np.int64)

    def solve(self) -> tuple[np.ndarray, np.ndarray]:
        """The rows with an interaction that counts, and their vectors (float32): many rows at a time."""
        rank = self.equations.rank
        rows = np.flatnonzero(self.counts)
        factors = np.zeros((len(rows), rank), np.float32)
        height = max(1, CELLS_AT_A_TIME // rank**2)
        for first in range(0, len(rows), height):
            part = rows[first : first + height]
            left = np.empty((len(part), rank, rank))
            flat = self.left[part] + self.gram
            left[:, self.upper[0], self.upper[1]] = flat
            left[:, self.upper[1], self.upper[0]] = flat
            left[:, np.arange(rank), np.arange(rank)] += self.equations.reg_param * self.counts[part][:, None]
            factors[first : first + height] = self._solve_stack(left, self.right[part])
        return self.numbers[rows], factors

    def _solve_stack(self, left: np.ndarray, right: np.ndarray) -> np.ndarray:
        """The solutions; the shortest ones where nothing keeps the equations from having many."""
        if self.equations.reg_param == 0:
            return (np.linalg.pinv(left, hermitian=True) @ right[:, :, None])[:, :, 0]
        return np.linalg.solve(left, right[:, :, None])[:, :, 0]
