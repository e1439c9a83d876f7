"""Users' places in the graph of their neighbours: a spectral embedding, made in Spark throughout.

The matrix S = D^-1/2 W D^-1/2 of the graph has, for each group of users who are alike and unlike the rest, an
eigenvector with an eigenvalue near 1. A user's row of the leading eigenvectors, scaled to length 1, is the user's
place (Ng, Jordan and Weiss 2002). They come from orthogonal iteration (Golub and Van Loan, Matrix Computations, 8.2)
of columns that are drawn by hash. Powers of (I + S) / 2 would do (Lin and Cohen 2010), but where groups shade into one
another the eigenvalues lie close, and Chebyshev polynomials of S need far fewer multiplications (Zhou et al. 2006).

Every sum over users is one of whole numbers, so that a user's place is the same to the last bit however rows lie. The
driver sees matrices of columns x columns, never a row per user. Executors: numpy and pyarrow only.
"""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
import pyarrow as pa
from pyspark import StorageLevel
from pyspark.sql import Column, DataFrame
from pyspark.sql import functions as F

from segspark.segments.geometry import project
from segspark.segments.spectrum import Basis, Filter, basis_of, chebyshev_filter, gram_of
from segspark.segments.vectors import unit_length

MOST_COLUMNS = 16  # of an embedding
GUARDS = 4  # columns that are iterated beside them and left out: the last ones converge most slowly
STEPS = 8  # multiplications between two orthonormalisations: the polynomial's degree
ROUNDS = 8  # of so many multiplications, at most
SETTLED = 1e-3  # the round that moves no eigenvalue by more is the last
FINEST_BOUND = 100  # bounds are in hundredths, so that rounds share Spark's compiled code
PARTS = 1 << 36  # of 1, for sums of a user's neighbours; columns have a mean square of 1 at most
SQUARE_PARTS = 1 << 30  # of 1, for sums over all users


def embed(similarity: DataFrame, segments: int, seed: int) -> DataFrame:
    """One row per user with a neighbour: user_id, features (array<float>, length 1).

    `similarity` has user_id and neighbours, as user_similarity. There are as many features as there may be `segments`,
    at most 16, and no more than users. Works through checkpoints, one per round; collects Gram matrices. The graph is
    cached: unlike a checkpoint, a cache lies by neighbour as every multiplication wants it.
    """
    cells = scaled_cells(neighbour_pairs(similarity))
    cells = cells.repartition(_partitions(cells), "neighbour_id").persist(StorageLevel.MEMORY_AND_DISK)
    try:
        users = cells.where(_is_own()).count()
        width = min(MOST_COLUMNS, segments, max(users, 1))
        vectors = drawn_columns(cells, min(width + GUARDS, max(users, 1)), seed)
        if users:
            vectors = _leading_columns(cells, vectors, users, width)
        places = vectors.select("user_id", F.array(*vectors.columns[1 : 1 + width]).alias("features"))
        return unit_length(places).checkpoint()
    finally:
        cells.unpersist()


def neighbour_pairs(similarity: DataFrame) -> DataFrame:
    """user_id, neighbour_id, weight: each pair of neighbours both ways, where either has the other in its list.

    The weight is the greater similarity of the two directions; pairs that are not alike (0 or less) are no pairs.
    """
    listed = similarity.select("user_id", F.explode("neighbours").alias("near"))
    out = listed.select("user_id", F.col("near.neighbour_id"), F.col("near.similarity").alias("weight"))
    out = out.where((F.col("weight") > 0) & ~_is_own())
    back = out.select(F.col("neighbour_id").alias("user_id"), F.col("user_id").alias("neighbour_id"), "weight")
    return out.unionByName(back).groupBy("user_id", "neighbour_id").agg(F.max("weight").alias("weight"))


def scaled_cells(pairs: DataFrame) -> DataFrame:
    """The cells of S that are not 0, and those on its diagonal, which are: user_id, neighbour_id, weight."""
    degrees = pairs.groupBy("user_id").agg(_exact_sum(F.col("weight")).alias("degree"))
    of_neighbour = degrees.select(F.col("user_id").alias("neighbour_id"), F.col("degree").alias("neighbour_degree"))
    both = pairs.join(degrees, on="user_id", how="inner").join(of_neighbour, on="neighbour_id", how="inner")
    share = F.col("weight") / F.sqrt(F.col("degree") * F.col("neighbour_degree"))
    diagonal = degrees.select("user_id", F.col("user_id").alias("neighbour_id"), F.lit(0.0).alias("weight"))
    return both.select("user_id", "neighbour_id", share.alias("weight")).unionByName(diagonal)


def drawn_columns(cells: DataFrame, count: int, seed: int) -> DataFrame:
    """user_id and `count` numbers of mean square 1 for every user, each by the hash of user, seed and column."""
    users = cells.where(_is_own()).select(F.col("neighbour_id").alias("user_id"))
    size = F.lit(3.0**0.5 / 2**63)
    drawn = [F.xxhash64("user_id", F.lit(seed), F.lit(column)) * size for column in range(count)]
    return users.select("user_id", *(number.alias(f"c{column}") for column, number in enumerate(drawn)))


def _leading_columns(cells: DataFrame, vectors: DataFrame, users: int, width: int) -> DataFrame:
    """The leading eigenvectors, orthogonal and of mean square 1, and the guards beside them."""
    bound, eigenvalues = 0.0, np.zeros(0)
    vectors = turned(vectors, _basis(vectors, users))
    for _ in range(ROUNDS):
        polynomial = chebyshev_filter(bound, STEPS)
        vectors = filtered(cells, vectors, polynomial).checkpoint()
        basis, before = _basis(vectors, users), eigenvalues
        vectors, eigenvalues = turned(vectors, basis), polynomial.eigenvalues(basis.lengths)
        if len(before) == len(eigenvalues) and np.abs(eigenvalues - before)[:width].max() < SETTLED:
            break
        bound = min(max(bound, np.floor(eigenvalues[-1] * FINEST_BOUND) / FINEST_BOUND), 1 - 1 / FINEST_BOUND)
    return vectors


def filtered(cells: DataFrame, vectors: DataFrame, polynomial: Filter) -> DataFrame:
    """The polynomial of S times the columns of `vectors`: one row per user again.

    Both sides of a join lie by neighbour and its sums by user, so that only the products travel.
    """
    columns = vectors.columns[1:]
    for root in polynomial.roots:
        neighbours = vectors.withColumnRenamed("user_id", "neighbour_id").hint("shuffle_hash")
        products = cells.join(neighbours, on="neighbour_id", how="inner")
        weight = F.when(_is_own(), F.lit(-root)).otherwise(F.col("weight")) * F.lit(polynomial.scale)
        products = products.withColumn("weight", weight)
        vectors = products.groupBy("user_id").agg(*(_exact_sum(F.col("weight") * F.col(c)).alias(c) for c in columns))
    return vectors


def sum_products(vectors: DataFrame) -> DataFrame:
    """The sums over the users of all products of two columns: side, other, total in SQUARE_PARTS."""
    columns = vectors.columns[1:]

    def batches(source: Iterator[pa.RecordBatch]) -> Iterator[pa.RecordBatch]:
        totals = np.zeros((len(columns), len(columns)), np.int64)
        for batch in source:
            values = _matrix(batch)
            for column, own in enumerate(values):
                totals[column] += np.rint(values * own * SQUARE_PARTS).astype(np.int64).sum(axis=1)
        side, other = np.indices(totals.shape, dtype=np.int32)
        cells = [pa.array(side.ravel()), pa.array(other.ravel()), pa.array(totals.ravel())]
        yield pa.RecordBatch.from_arrays(cells, ["side", "other", "total"])

    summed = vectors.select(*columns).mapInArrow(batches, "side int, other int, total bigint")
    return summed.groupBy("side", "other").agg(F.sum("total").alias("total"))


def turned(vectors: DataFrame, basis: Basis) -> DataFrame:
    """The columns in the basis: one row per user again, no more columns than before."""
    origin, axes = np.zeros(len(basis.turn)), np.ascontiguousarray(basis.turn.T)
    names = vectors.columns[: 1 + len(axes)]

    def batches(source: Iterator[pa.RecordBatch]) -> Iterator[pa.RecordBatch]:
        for batch in source:
            places = project(_matrix(batch).T, origin, axes)
            columns = [pa.array(np.ascontiguousarray(column)) for column in places.T]
            yield pa.RecordBatch.from_arrays([batch.column("user_id"), *columns], names)

    schema = ", ".join(["user_id string", *(f"{name} double" for name in names[1:])])
    return vectors.mapInArrow(batches, schema)


def _basis(vectors: DataFrame, users: int) -> Basis:
    width = len(vectors.columns) - 1
    return basis_of(gram_of(sum_products(vectors).collect(), width, SQUARE_PARTS * users))


def _matrix(batch: pa.RecordBatch) -> np.ndarray:
    """The numbers of a batch, a row per column of it."""
    columns = [batch.column(name).to_numpy() for name in batch.schema.names if name != "user_id"]
    return np.array(columns, dtype=np.float64)


def _exact_sum(value: Column) -> Column:
    return F.sum(F.rint(value * PARTS).cast("bigint")) / F.lit(float(PARTS))


def _is_own() -> Column:
    return F.col("user_id") == F.col("neighbour_id")


def _partitions(frame: DataFrame) -> int:
    return int(frame.sparkSession.conf.get("spark.sql.shuffle.partitions") or 1)
