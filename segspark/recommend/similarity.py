"""The most similar rows of a sparse matrix by cosine: exact, block against block."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import groupby

import numpy as np
import pyarrow as pa
from pyspark.sql import DataFrame
from pyspark.sql import functions as F
from scipy import sparse

from segspark.recommend.blocks import pack_sparse, records, stream, unpack_sparse
from segspark.recommend.ranking import Best
from segspark.recommend.sizes import block_count

NEIGHBOURS = "row_no int, rank int, neighbour_no int, similarity double"
DIGITS = 10  # equal directions differ in the last bits: beyond these digits a similarity is a tie
MERGE_AT = 2_000_000  # candidates that are gathered before they are ranked


def nearest_rows(
    triples: DataFrame, row: str, column: str, rows: int, columns: int, block_rows: int, neighbours: int
) -> DataFrame:
    """One row per neighbour of a row: row_no, rank from 1, neighbour_no, similarity in (0, 1].

    Cosine of the rows of `weight`, rounded to 10 digits; at most `neighbours` per row, the best first, ties by
    neighbour_no; the row itself and rows without a common column are left out. `rows` and `columns` are one more than
    the highest numbers. Each task holds one block, one other block, their product and the best so far.
    """
    count = block_count(rows, block_rows)
    packed = pack_sparse(triples, row, column, "weight", block_rows)
    own_first = F.when(F.col("task") == F.col("block"), -1).otherwise(F.col("block"))
    tasks = packed.withColumn("task", F.explode(F.sequence(F.lit(0), F.lit(count - 1)))).withColumn("step", own_first)

    def work(batches: Iterator[pa.RecordBatch]) -> Iterator[pa.RecordBatch]:
        for _, steps in groupby(records(batches), key=lambda record: record["task"]):
            yield from _nearest_of_task(steps, columns, block_rows, neighbours)

    return stream(tasks, count, work, NEIGHBOURS)


def _nearest_of_task(steps: Iterator[dict], columns: int, block_rows: int, neighbours: int) -> Iterator[pa.RecordBatch]:
    own = next(steps)
    if own["step"] != -1:  # no row of this block has a cell
        return
    left = unpack_sparse(own, columns)
    best = _Nearest(left.shape[0], neighbours)
    best.offer(left @ left.T, own["block"] * block_rows, without_diagonal=True)
    for other in steps:
        best.offer(left @ unpack_sparse(other, columns).T, other["block"] * block_rows)
    row, rank, neighbour, similarity = best.ranked()
    row += own["block"] * block_rows
    columns_out = [pa.array(row, pa.int32()), pa.array(rank, pa.int32()), pa.array(neighbour, pa.int32())]
    names = ["row_no", "rank", "neighbour_no", "similarity"]
    yield pa.RecordBatch.from_arrays([*columns_out, pa.array(similarity, pa.float64())], names=names)


class _Nearest:
    """The best neighbours of each row of one block so far, and candidates not yet ranked."""

    def __init__(self, rows: int, neighbours: int) -> None:
        self.best = Best(rows, neighbours)
        self.waiting: list[tuple[np.ndarray, np.ndarray, np.ndarray]] = []
        self.waiting_cells = 0

    def offer(self, product: sparse.csr_matrix, first_number: int, without_diagonal: bool = False) -> None:
        """Takes the cells of a product that may be among the best."""
        product = product.tocsr()
        row = np.repeat(np.arange(product.shape[0], dtype=np.int32), np.diff(product.indptr))
        similarity = np.minimum(np.round(product.data, DIGITS, out=product.data), 1.0, out=product.data)
        if without_diagonal:
            similarity[row == product.indices] = 0.0
        bounds = np.maximum(self.best.bounds(), row_bounds(similarity, product.indptr, self.best.size))
        good = np.flatnonzero((similarity >= bounds[row]) & (similarity > 0))
        self.waiting.append((row[good], product.indices[good].astype(np.int64) + first_number, similarity[good]))
        self.waiting_cells += len(good)
        if self.waiting_cells > MERGE_AT or without_diagonal:
            self._merge()

    def ranked(self) -> tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray]:
        """row, rank, neighbour and similarity of the best, rows ascending."""
        self._merge()
        return self.best.ranked()

    def _merge(self) -> None:
        row, neighbour, similarity = (np.concatenate(parts) for parts in zip(*self.waiting, strict=True))
        self.best.merge(row, neighbour, similarity)
        self.waiting, self.waiting_cells = [(row[:0], neighbour[:0], similarity[:0])], 0


def row_bounds(cells: np.ndarray, indptr: np.ndarray, size: int) -> np.ndarray:
    """The `size`-th highest cell of each row that has many more than that; minus infinity for the others."""
    bounds = np.full(len(indptr) - 1, -np.inf)
    for row in np.flatnonzero(np.diff(indptr) > 4 * size):
        bounds[row] = np.partition(cells[indptr[row] : indptr[row + 1]], -size)[-size]
    return bounds
