"""Users whose factors point the same way, searched in the nearest cells of the factor space: for users in the millions.

An inverted file (Jégou, Douze and Schmid 2011): K-Means on a sample cuts the space into cells, a user is compared with
the members of the few cells that are nearest, and what that misses is measured against the exact answer.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from math import ceil, sqrt

import numpy as np
import pyarrow as pa
from pyspark.sql import DataFrame
from pyspark.sql import functions as F
from sklearn.cluster import MiniBatchKMeans
from threadpoolctl import threadpool_limits

from segspark.recommend.places import Places

MOST_CELLS = 4096
SAMPLE_PER_CELL = 20  # users on the driver, for each cell
TIMES_AVERAGE = 8  # members of a cell, above which it is split
LAST_DECIMAL = 1.5e-6  # of a similarity: one that ends in another digit for the order of its sum is the same
SCORES_AT_A_TIME = 4_000_000  # similarities in memory at once: 16 MB
PROBES = "user_no int, factors array<float>, cells array<int>"
FOUND = "row_no int, neighbours array<struct<below:double,neighbour_no:int>>"


@dataclass(frozen=True)
class Cells:
    """Where cells lie, and how they are searched. Travels to the executors: cells x rank x 4 bytes."""

    centres: np.ndarray  # cells x rank, of length 1, float32
    probed: int  # cells that a user is compared with, their own among them
    most: int  # members of a cell; of a larger one a user meets a part, drawn by hash


def find_cells(vectors: DataFrame, users: int, cells: int | None, probed: int, seed: int) -> Cells:
    """Cells of the `users` vectors (user_no, factors): as many as configured, else the square root of the users.

    Up to 20 users a cell, with the lowest hashes, come to the driver.
    """
    count = min(cells or max(1, round(sqrt(users))), MOST_CELLS, users)
    by_hash = vectors.orderBy(F.xxhash64("user_no", F.lit(seed)), "user_no").limit(SAMPLE_PER_CELL * count)
    rows = by_hash.select("user_no", F.col("factors").cast("array<float>").alias("factors")).toArrow()
    sample = unit_matrix(rows.sort_by("user_no").column("factors").combine_chunks())
    distinct = np.unique(sample, axis=0)
    with threadpool_limits(limits=1):
        fitted = MiniBatchKMeans(min(count, len(distinct)), n_init=1, random_state=seed % 2**32).fit(distinct)
    centres = unit_rows(fitted.cluster_centers_.astype(np.float32))
    return Cells(centres, min(probed, len(centres)), max(1, ceil(TIMES_AVERAGE * users / len(centres))))


def nearest_in_cells(vectors: DataFrame, cells: Cells, neighbours: int, seed: int) -> DataFrame:
    """As NEIGHBOURS of similarity: row_no, rank, neighbour_no and similarity, the cosine of the factors to 6 decimals.

    `vectors` has user_no and factors, each user once. At most `neighbours` a user, the best first, ties by
    neighbour_no; only similarities above 0, and not the user. A task holds one cell's members and those who probe it.
    """
    placed = vectors.select("user_no", F.col("factors").cast("array<float>").alias("factors"))
    placed = placed.mapInArrow(lambda batches: _place(batches, cells), PROBES).checkpoint()
    members = placed.groupBy(F.col("cells")[0].alias("cell")).agg(
        F.ceil(F.count(F.lit(1)) / F.lit(cells.most)).cast("int").alias("parts")
    )
    probes = placed.select(
        "user_no",
        "factors",
        F.posexplode("cells").alias("place", "cell"),
        F.xxhash64("user_no", F.lit(seed)).alias("hash"),
    )
    part = F.pmod("hash", F.col("parts")).cast("int").alias("part")
    parted = probes.join(F.broadcast(members), on="cell", how="inner")
    asked = parted.select("cell", part, "user_no", "factors", (F.col("place") == 0).alias("is_member"))
    found = asked.groupBy("cell", "part").applyInArrow(lambda table: _compare(table, neighbours), FOUND)
    return _merged(found, neighbours)


def recall(vectors: DataFrame, found: DataFrame, users: int, neighbours: int, sample: int, seed: int) -> float:
    """Of `sample` users, chosen by hash: the mean share of the exact neighbours' places that `found` fills as well.

    A place is filled where the similarity is at least that of the last exact neighbour, so ties are no misses. The
    sampled users' vectors come to the driver and go to every task. 1 where nobody has a neighbour.
    """
    chosen = vectors.orderBy(F.xxhash64("user_no", F.lit(seed), F.lit("recall")), "user_no").limit(min(sample, users))
    rows = chosen.select("user_no", F.col("factors").cast("array<float>").alias("factors")).toArrow().sort_by("user_no")
    numbers = rows.column("user_no").to_numpy().astype(np.int64)
    queries = unit_matrix(rows.column("factors").combine_chunks())
    every = vectors.select("user_no", F.col("factors").cast("array<float>").alias("factors"))

    def search(batches: Iterator[pa.RecordBatch]) -> Iterator[pa.RecordBatch]:
        places = Places(len(numbers), neighbours)
        for batch in batches:
            order = np.argsort(batch.column("user_no").to_numpy())
            member = batch.column("user_no").to_numpy()[order].astype(np.int64)
            _offer(places, numbers, queries, member, unit_matrix(batch.column("factors"))[order])
        yield _record(places, numbers)

    exact = _merged(every.mapInArrow(search, FOUND), neighbours)
    last = exact.groupBy("row_no").agg(F.min("similarity").alias("last"), F.count(F.lit(1)).alias("places"))
    own = found.join(last, on="row_no", how="right")
    filled = F.count_if(F.col("similarity") >= F.col("last") - F.lit(LAST_DECIMAL))
    by_user = own.groupBy("row_no", "places").agg(F.least(filled, F.col("places")).alias("filled"))
    row = by_user.agg(F.avg(F.col("filled") / F.col("places"))).first()
    return round(float(row[0]), 6) if row and row[0] is not None else 1.0


def unit_matrix(vectors: pa.Array) -> np.ndarray:
    """A list column as a matrix of rows of length 1 (0 where a vector is 0), float32."""
    flat = vectors.flatten().to_numpy(zero_copy_only=False)
    return unit_rows(flat.astype(np.float32).reshape(len(vectors), -1))


def unit_rows(matrix: np.ndarray) -> np.ndarray:
    """The rows scaled to length 1; those of length 0 stay."""
    lengths = np.sqrt((matrix.astype(np.float64) ** 2).sum(axis=1, keepdims=True))
    return (matrix / np.where(lengths > 0, lengths, 1.0)).astype(np.float32)


def _place(batches: Iterator[pa.RecordBatch], cells: Cells) -> Iterator[pa.RecordBatch]:
    """Each user's nearest cells, the nearest first, ties by the cell's number."""
    for batch in batches:
        vectors = unit_matrix(batch.column("factors"))
        near = np.round(exact_products(vectors, cells.centres), 6)
        order = np.argsort(-near, axis=1, kind="stable")[:, : cells.probed].astype(np.int32)
        lists = [
            pa.ListArray.from_arrays(pa.array(np.arange(len(part) + 1, dtype=np.int32) * part.shape[1]), part.ravel())
            for part in (vectors, order)
        ]
        yield pa.RecordBatch.from_arrays([batch.column("user_no"), *lists], names=["user_no", "factors", "cells"])


def exact_products(left: np.ndarray, right: np.ndarray) -> np.ndarray:
    """Products of rows in double precision, so that a batch's size does not show in six decimals."""
    return left.astype(np.float64) @ right.astype(np.float64).T


def _compare(table: pa.Table, neighbours: int) -> pa.Table:
    """The best members of one cell for everyone who probes it."""
    table = table.sort_by("user_no").combine_chunks()
    number = table["user_no"].to_numpy().astype(np.int64)
    vectors = unit_matrix(table["factors"].combine_chunks())
    is_member = table["is_member"].to_numpy()
    places = Places(len(number), neighbours)
    if is_member.any():
        _offer(places, number, vectors, number[is_member], vectors[is_member])
    return pa.Table.from_batches([_record(places, number)])


def _offer(places: Places, number: np.ndarray, vectors: np.ndarray, member: np.ndarray, others: np.ndarray) -> None:
    """Compares everyone with the members (numbers ascending), a part of the rows at a time."""
    places.start(member)
    height = max(1, SCORES_AT_A_TIME // len(member))
    for first in range(0, len(number), height):
        rows = slice(first, min(first + height, len(number)))
        scores = vectors[rows] @ others.T
        scores[scores <= 0] = -np.inf
        place = np.minimum(np.searchsorted(member, number[rows]), len(member) - 1)
        own = np.flatnonzero(member[place] == number[rows])
        scores[own, place[own]] = -np.inf
        places.take(scores, first)


def _record(places: Places, number: np.ndarray) -> pa.RecordBatch:
    """A batch of FOUND: one row for everyone who has a neighbour."""
    row, _, neighbour, similarity = places.best.ranked()
    has, start = np.unique(row, return_index=True)
    kinds = [pa.field("below", pa.float64()), pa.field("neighbour_no", pa.int32())]
    structs = pa.StructArray.from_arrays([pa.array(-similarity), pa.array(neighbour.astype(np.int32))], fields=kinds)
    ends = pa.array(np.r_[start, len(row)].astype(np.int32))
    arrays = [pa.array(number[has].astype(np.int32)), pa.ListArray.from_arrays(ends, structs)]
    return pa.RecordBatch.from_arrays(arrays, names=["row_no", "neighbours"])


def _merged(found: DataFrame, neighbours: int) -> DataFrame:
    """NEIGHBOURS out of rows of FOUND, several a user."""
    best = F.slice(F.sort_array(F.flatten(F.collect_list("neighbours"))), 1, neighbours)
    merged = found.groupBy("row_no").agg(best.alias("best"))
    each = merged.select("row_no", F.posexplode("best").alias("place", "one"))
    rank, similarity = (F.col("place") + 1).alias("rank"), F.least(-F.col("one.below"), F.lit(1.0)).alias("similarity")
    return each.select("row_no", rank, F.col("one.neighbour_no").alias("neighbour_no"), similarity)
