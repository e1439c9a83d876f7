"""The most similar rows of a sparse matrix by a measure: exact, block against block."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import groupby

import numpy as np
import pyarrow as pa
from pyspark.sql import DataFrame
from pyspark.sql import functions as F
from scipy import sparse

from segspark.recommend.blocks import pack_sparse, records, stream, unpack_sparse
from segspark.recommend.neighbours.measures import COSINE, DIGITS, Measure, around_column_means, comparer
from segspark.recommend.ranking import Best
from segspark.recommend.sizes import block_count

NEIGHBOURS = "row_no int, rank int, neighbour_no int, similarity double"
SLACK = 10.0**-DIGITS  # a cell so far below a bound may still round up to it
CELLS_AT_A_TIME = 16_000_000  # most cells of a product that is in memory at once: 200 MB


def nearest_rows(
    triples: DataFrame,
    row: str,
    column: str,
    rows: int,
    columns: int,
    block_rows: int,
    neighbours: int,
    measure: Measure = COSINE,
) -> DataFrame:
    """One row per neighbour of a row: row_no, rank from 1, neighbour_no, similarity in [-1, 1].

    Similarity of the rows of `weight`, rounded to 10 digits; at most `neighbours` per row, the best first, ties by
    neighbour_no. Left out are the row itself, rows without a common column, a similarity that is undefined or 0, and by
    cosine one below 0. Weights that are not finite count as missing. `rows` and `columns` are one more than the highest
    numbers. Each task holds one block, one other block, a part of their product and the best so far.
    """
    triples = triples.where(F.abs("weight") < float("inf"))
    if measure.name == "adjusted_cosine":
        triples = around_column_means(triples, column)
    count = block_count(rows, block_rows)
    packed = pack_sparse(triples, row, column, "weight", rows, block_rows, measure.prepare)
    own_first = F.when(F.col("task") == F.col("block"), -1).otherwise(F.col("block"))
    tasks = packed.withColumn("task", F.explode(F.sequence(F.lit(0), F.lit(count - 1)))).withColumn("step", own_first)

    def work(batches: Iterator[pa.RecordBatch]) -> Iterator[pa.RecordBatch]:
        for _, steps in groupby(records(batches), key=lambda record: record["task"]):
            yield from _nearest_of_task(steps, columns, block_rows, neighbours, measure)

    return stream(tasks, count, work, NEIGHBOURS)


def _nearest_of_task(
    steps: Iterator[dict], columns: int, block_rows: int, neighbours: int, measure: Measure
) -> Iterator[pa.RecordBatch]:
    own = next(steps)
    if own["step"] != -1:  # no row of this block has a cell
        return
    nearest = Nearest(unpack_sparse(own, columns), own["block"] * block_rows, neighbours, measure)
    nearest.offer(nearest.left, nearest.first)
    for other in steps:
        nearest.offer(unpack_sparse(other, columns), other["block"] * block_rows)
    row, rank, neighbour, similarity = nearest.best.ranked()
    numbers = [pa.array(values, pa.int32()) for values in (row + nearest.first, rank, neighbour)]
    names = ["row_no", "rank", "neighbour_no", "similarity"]
    yield pa.RecordBatch.from_arrays([*numbers, pa.array(similarity, pa.float64())], names=names)


class Nearest:
    """The best neighbours of each row of one block so far; `first` is the number of its first row."""

    def __init__(self, left: sparse.csr_matrix, first: int, neighbours: int, measure: Measure) -> None:
        self.left, self.first, self.measure = left, first, measure
        self.best = Best(left.shape[0], neighbours)

    def offer(self, other: sparse.csr_matrix, first_number: int) -> None:
        """Compares every row with the rows of a block, a part of the rows at a time."""
        compare = comparer(other, self.measure)
        height = max(1, CELLS_AT_A_TIME // (self.measure.products * other.shape[0]))
        for top in range(0, self.left.shape[0], height):
            self._keep_best(compare(self.left[top : top + height]), top, first_number)

    def _keep_best(self, similar: sparse.csr_matrix, top: int, first_number: int) -> None:
        """Takes the cells that may be among the best. Bounds come first: nearly all cells fall below them."""
        lengths = np.diff(similar.indptr)
        bounds = self.best.bounds()[top : top + len(lengths)]
        bounds = raised_bounds(bounds, similar.data, similar.indptr, self.best.size + 1)  # 1 more: a row meets itself
        lowest = np.maximum(bounds - SLACK, -1 - SLACK if self.measure.keeps_negative else SLACK / 4)
        good = np.flatnonzero(similar.data >= np.repeat(lowest, lengths))
        row = np.searchsorted(similar.indptr, good, side="right") - 1 + top
        neighbour = similar.indices[good].astype(np.int64) + first_number
        similarity = np.clip(np.round(similar.data[good], DIGITS), -1.0, 1.0)
        kept = (similarity != 0) & (neighbour != row + self.first)
        self.best.merge(row[kept], neighbour[kept], similarity[kept])


def raised_bounds(bounds: np.ndarray, cells: np.ndarray, indptr: np.ndarray, size: int) -> np.ndarray:
    """The bounds; in place of minus infinity the `size`-th highest cell of a row that has many more than that."""
    raised = bounds.copy()
    for row in np.flatnonzero(np.isneginf(bounds) & (np.diff(indptr) > 4 * size)):
        raised[row] = np.partition(cells[indptr[row] : indptr[row + 1]], -size)[-size]
    return raised
