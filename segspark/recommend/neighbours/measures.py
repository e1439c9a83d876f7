"""How two rows of a sparse matrix are compared: cosine, adjusted cosine and Pearson, from products of blocks."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from pyspark.sql import Column, DataFrame
from pyspark.sql import functions as F
from scipy import sparse

from segspark.recommend.blocks import unit_rows

DIGITS = 10  # equal directions differ in the last bits: beyond these digits a similarity is a tie
LEAST = 0.5 * 10.0**-DIGITS  # what is nearer to 0 rounds to 0
FLAT = 1e-10  # a variance over common raters below this, where a row's values span 1, is that of equal values
NO_DISTANCE = 1e-9  # a distance from a mean that is below such a part of the mean is rounding
EXACT = "decimal(30,12)"  # doubles are summed as these, so that the order of the rows does not matter


@dataclass(frozen=True)
class Measure:
    """How similar two rows are, by the columns in which both have a cell. Plain values: it travels to the executors.

    `cosine`: of the rows, a missing cell being 0. `adjusted_cosine`: the same after each column's mean is taken off its
    cells, so that a missing cell counts as the mean (Sarwar et al. 2001; here the lengths are those of whole rows).
    `pearson`: correlation over the common columns only, means included; undefined, so no similarity, where they are
    fewer than two or either row's values there are equal.
    """

    name: str = "cosine"
    shrinkage: float = 0.0  # s: a similarity over n common columns is multiplied by n / (n + s) (Koren 2008)
    min_overlap: int = 1  # rows with fewer common columns have no similarity (Herlocker et al. 1999)

    @property
    def is_bare(self) -> bool:
        """Whether one product is the whole answer."""
        return self.name == "cosine" and self.shrinkage == 0 and self.min_overlap <= 1

    @property
    def keeps_negative(self) -> bool:
        """Whether rows that are unlike may be neighbours, after all that are alike; a similarity of 0 never is one."""
        return self.name != "cosine"

    @property
    def products(self) -> int:
        """Arrays as long as a product that a comparison holds at once, about."""
        return 1 if self.is_bare else 8 if self.name == "pearson" else 3

    def prepare(self, rows: sparse.csr_matrix) -> sparse.csr_matrix:
        """The rows as `comparer` wants them."""
        return spread_rows(rows) if self.name == "pearson" else unit_rows(rows)


COSINE = Measure()


def around_column_means(triples: DataFrame, column: str) -> DataFrame:
    """The same rows, `weight` as the distance from the mean of its column."""
    means = triples.groupBy(column).agg(exact_mean("weight").alias("mean"))
    distance = F.col("weight") - F.col("mean")
    rounded = F.when(F.abs(distance) <= F.abs("mean") * NO_DISTANCE, 0.0).otherwise(distance)
    return triples.join(means, on=column, how="inner").withColumn("weight", rounded).drop("mean")


def exact_mean(value: str) -> Column:
    """The mean of a double to 12 decimals, the same in whatever order the rows come."""
    return F.sum(F.col(value).cast(EXACT)).cast("double") / F.count(value)


def spread_rows(matrix: sparse.csr_matrix) -> sparse.csr_matrix:
    """The matrix with each row's cells shifted and scaled to [1, 2], or 1 where all are equal.

    Correlation does not change by that, and no sum of products is 0: all products then have the same cells.
    """
    lengths = np.diff(matrix.indptr)
    starts = matrix.indptr[:-1][lengths > 0]
    if len(starts) == 0:
        return matrix
    low, high = np.minimum.reduceat(matrix.data, starts), np.maximum.reduceat(matrix.data, starts)
    span = np.where(high > low, high - low, 1.0)
    filled = lengths[lengths > 0]
    matrix.data = 1 + (matrix.data - np.repeat(low, filled)) / np.repeat(span, filled)
    return matrix


def comparer(other: sparse.csr_matrix, measure: Measure) -> Callable[[sparse.csr_matrix], sparse.csr_matrix]:
    """A function from rows of one block to their similarity with each row of `other`, both prepared.

    Pairs whose similarity is undefined or, beside those of bare cosine, 0 have no cell.
    """
    right = other.T.tocsr()
    if measure.is_bare:
        return lambda left: left @ right
    if measure.name == "pearson":
        squares = with_cells(right, right.data**2)
        return lambda left: _pearson(left, right, pattern(right), squares, measure)
    return lambda left: _cosine(left, right, pattern(right), measure)


def _cosine(
    left: sparse.csr_matrix, right: sparse.csr_matrix, seen: sparse.csr_matrix, measure: Measure
) -> sparse.csr_matrix:
    product = left @ right
    if measure.shrinkage == 0 and measure.min_overlap <= 1:
        return keep_cells(product, product.data, np.abs(product.data) >= LEAST)
    product.sort_indices()
    overlap = (pattern(left) @ seen).multiply(pattern(product)).tocsr()  # a sum that is 0 has no cell in the product
    overlap.sort_indices()
    return _weighed(product, product.data, overlap.data, measure)


def _pearson(
    left: sparse.csr_matrix,
    right: sparse.csr_matrix,
    seen: sparse.csr_matrix,
    squares: sparse.csr_matrix,
    measure: Measure,
) -> sparse.csr_matrix:
    """Six sums over the common columns of each pair: 1, x, y, x * y, x * x and y * y."""
    left_seen = pattern(left)
    counted = left_seen @ seen
    enough = counted.data >= max(2, measure.min_overlap)
    counted = keep_cells(counted, counted.data, enough)
    sum_x, sum_y = (left @ seen).data[enough], (left_seen @ right).data[enough]
    together = (left @ right).data[enough] - sum_x * sum_y / counted.data
    spread_x = (with_cells(left, left.data**2) @ seen).data[enough] - sum_x * sum_x / counted.data
    spread_y = (left_seen @ squares).data[enough] - sum_y * sum_y / counted.data
    flat = (spread_x <= FLAT * counted.data) | (spread_y <= FLAT * counted.data)
    correlation = np.where(flat, 0.0, together / np.sqrt(np.where(flat, 1.0, spread_x * spread_y)))
    return _weighed(counted, np.clip(correlation, -1, 1), counted.data, measure)


def _weighed(
    like: sparse.csr_matrix, similarity: np.ndarray, overlap: np.ndarray, measure: Measure
) -> sparse.csr_matrix:
    """The cells with enough overlap, shrunk by it, without those of 0."""
    similarity = similarity * (overlap / (overlap + measure.shrinkage))
    return keep_cells(like, similarity, (overlap >= measure.min_overlap) & (np.abs(similarity) >= LEAST))


def pattern(matrix: sparse.csr_matrix) -> sparse.csr_matrix:
    """1 in every cell, those that hold 0 too."""
    return with_cells(matrix, np.ones(len(matrix.data)))


def with_cells(matrix: sparse.csr_matrix, cells: np.ndarray) -> sparse.csr_matrix:
    """Other values in the same cells."""
    return sparse.csr_matrix((cells, matrix.indices, matrix.indptr), shape=matrix.shape)


def keep_cells(like: sparse.csr_matrix, cells: np.ndarray, kept: np.ndarray) -> sparse.csr_matrix:
    """Values in those cells of a matrix that are kept."""
    indptr = np.r_[0, np.cumsum(kept)][like.indptr]
    return sparse.csr_matrix((cells[kept], like.indices[kept], indptr), shape=like.shape)
