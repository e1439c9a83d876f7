"""Matrices as rows of a frame: each row is one block, small enough for one task, in arrays of bytes.

A block never meets the whole matrix: `each_with_every` streams all blocks past each task, one at a time.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator

import numpy as np
import pyarrow as pa
from pyspark.sql import DataFrame
from pyspark.sql import functions as F
from scipy import sparse

from segspark.recommend.sizes import block_count

SPARSE_BLOCK = "block int, indptr binary, columns binary, cells binary"
DENSE_BLOCK = "block int, numbers binary, cells binary"
PIECE = "block int, rows binary, columns binary, cells binary"
PIECE_PAIRS = 1_000_000  # cells that are cut into pieces at once: 16 MB


def pack_sparse(
    triples: DataFrame,
    row: str,
    column: str,
    cell: str,
    rows: int,
    block_rows: int,
    prepare: Callable[[sparse.csr_matrix], sparse.csr_matrix],
) -> DataFrame:
    """One row per block of `block_rows` of the `rows` that has any cell, as SPARSE_BLOCK: compressed sparse rows.

    `triples` has the row's and the column's number (int) and the cell (double), each pair once. `prepare` changes the
    cells of a block's rows. Each task holds the cells of its block.
    """
    names = (F.col(row).alias("row"), F.col(column).alias("column"), F.col(cell).cast("double").alias("cell"))
    pieces = triples.select(*names).mapInArrow(lambda batches: cut(batches, block_rows), PIECE)
    by_block = pieces.repartitionById(block_count(rows, block_rows), F.col("block"))

    def pack(batches: Iterator[pa.RecordBatch]) -> Iterator[pa.RecordBatch]:
        for block, matrix in matrices(batches, block_rows):
            yield sparse_record(block, prepare(matrix))

    return by_block.mapInArrow(pack, SPARSE_BLOCK)


def cut(batches: Iterable[pa.RecordBatch], block_rows: int) -> Iterator[pa.RecordBatch]:
    """Batches of PIECE: the cells (row, column, cell) of each block side by side, up to a million at a time.

    A shuffle of pieces costs a fraction of a shuffle of cells.
    """
    held: list[pa.RecordBatch] = []
    for batch in batches:
        held.append(batch)
        if sum(each.num_rows for each in held) >= PIECE_PAIRS:
            yield _pieces(held, block_rows)
            held = []
    if held:
        yield _pieces(held, block_rows)


def _pieces(batches: list[pa.RecordBatch], block_rows: int) -> pa.RecordBatch:
    row, column, cell = (
        np.concatenate([batch.column(name).to_numpy() for batch in batches]) for name in ("row", "column", "cell")
    )
    block = row // block_rows
    blocks = np.unique(block)
    places = [slice(None)] if len(blocks) == 1 else [np.flatnonzero(block == each) for each in blocks]
    parts = [[values[place].tobytes() for place in places] for values in (row, column, cell)]
    arrays = [pa.array(blocks, pa.int32()), *(pa.array(part, pa.binary()) for part in parts)]
    return pa.RecordBatch.from_arrays(arrays, names=["block", "rows", "columns", "cells"])


def matrices(pieces: Iterable[pa.RecordBatch], block_rows: int) -> Iterator[tuple[int, sparse.csr_matrix]]:
    """The number and the cells of each block, by row and then column, whatever order the batches of PIECE came in."""
    by_block: dict[int, list[dict]] = {}
    for piece in records(pieces):
        by_block.setdefault(piece["block"], []).append(piece)
    for block in sorted(by_block):
        mine = by_block.pop(block)
        row, column = (
            np.concatenate([np.frombuffer(piece[name], np.int32) for piece in mine]) for name in ("rows", "columns")
        )
        cell = np.concatenate([np.frombuffer(piece["cells"], np.float64) for piece in mine])
        places, shape = (row - np.int32(block * block_rows), column), (block_rows, int(column.max()) + 1)
        matrix = sparse.csr_matrix((cell, places), shape=shape)
        matrix.sort_indices()
        yield block, matrix


def as_they_are(matrix: sparse.csr_matrix) -> sparse.csr_matrix:
    """The matrix itself, for pack_sparse."""
    return matrix


def unit_rows(matrix: sparse.csr_matrix) -> sparse.csr_matrix:
    """The matrix with every row that has a cell scaled to length 1."""
    norms = np.sqrt(np.asarray(matrix.multiply(matrix).sum(axis=1)).ravel())
    scale = np.divide(1.0, norms, out=np.zeros_like(norms), where=norms > 0)
    matrix.data *= np.repeat(scale, np.diff(matrix.indptr))
    return matrix


def sparse_record(block: int, matrix: sparse.csr_matrix) -> pa.RecordBatch:
    """A batch of one SPARSE_BLOCK."""
    parts = [matrix.indptr.astype(np.int32), matrix.indices.astype(np.int32), matrix.data.astype(np.float64)]
    arrays = [pa.array([part.tobytes()], pa.binary()) for part in parts]
    names = ["block", "indptr", "columns", "cells"]
    return pa.RecordBatch.from_arrays([pa.array([block], pa.int32()), *arrays], names=names)


def unpack_sparse(record: dict, width: int) -> sparse.csr_matrix:
    """The matrix of one SPARSE_BLOCK, `width` columns wide."""
    indptr = np.frombuffer(record["indptr"], np.int32)
    columns = np.frombuffer(record["columns"], np.int32)
    cells = np.frombuffer(record["cells"], np.float64)
    return sparse.csr_matrix((cells, columns, indptr), shape=(len(indptr) - 1, width))


def pack_dense(vectors: DataFrame, number: str, block_rows: int) -> DataFrame:
    """One row per block of `block_rows` numbers that has any vector, as DENSE_BLOCK: numbers ascending, float32."""
    block = F.expr(f"int({number} div {block_rows})").alias("block")
    rows = vectors.select(block, F.col(number).alias("number"), F.col("factors").cast("array<float>").alias("factors"))

    def pack(table: pa.Table) -> pa.Table:
        numbers = table["number"].to_numpy().astype(np.int32)
        order = np.argsort(numbers)
        flat = table["factors"].combine_chunks().flatten().to_numpy(zero_copy_only=False)
        matrix = flat.reshape(len(numbers), -1)[order]
        cells = [numbers[order].tobytes(), np.ascontiguousarray(matrix, np.float32).tobytes()]
        arrays = [pa.array([part], pa.binary()) for part in cells]
        return pa.table([table["block"].slice(0, 1), *arrays], names=["block", "numbers", "cells"])

    return rows.groupBy("block").applyInArrow(pack, DENSE_BLOCK)


def unpack_dense(record: dict) -> tuple[np.ndarray, np.ndarray]:
    """The numbers and the vectors (float32) of one DENSE_BLOCK."""
    numbers = np.frombuffer(record["numbers"], np.int32)
    return numbers, np.frombuffer(record["cells"], np.float32).reshape(len(numbers), -1)


def records(batches: Iterable[pa.RecordBatch]) -> Iterator[dict]:
    """The rows of Arrow batches, one at a time: a batch of blocks is as large as Spark's bound on bytes allows."""
    for batch in batches:
        for position in range(batch.num_rows):
            yield {name: batch.column(name)[position].as_py() for name in batch.schema.names}


def stream(tasks: DataFrame, count: int, work: Callable, schema: str, at_once: int = 1) -> DataFrame:
    """Runs `work` over the rows of each task, in the order of `step`; tasks are numbered from 0 to count - 1.

    So many tasks `at_once` come to one call, one after another: a call of its own costs more than a small task.
    """
    together = F.expr(f"int(task div {at_once})")
    ordered = tasks.repartitionById(block_count(count, at_once), together).sortWithinPartitions("task", "step")
    return ordered.mapInArrow(work, schema)
