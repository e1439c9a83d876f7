"""Matrices as rows of a frame: each row is one block, small enough for one task, in arrays of bytes.

A block never meets the whole matrix: `each_with_every` streams all blocks past each task, one at a time.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator

import numpy as np
import pyarrow as pa
from pyspark.sql import DataFrame
from pyspark.sql import functions as F
from scipy import sparse

SPARSE_BLOCK = "block int, indptr binary, columns binary, cells binary"
DENSE_BLOCK = "block int, numbers binary, cells binary"


def pack_sparse(triples: DataFrame, row: str, column: str, cell: str, block_rows: int) -> DataFrame:
    """One row per block of `block_rows` rows that has any cell, as SPARSE_BLOCK: compressed sparse rows.

    `triples` has the row's and the column's number (int) and the cell (double), each pair once. Rows are scaled to
    length 1.
    """
    cells = triples.select(
        F.expr(f"int({row} div {block_rows})").alias("block"),
        F.col(row).alias("row"),
        F.col(column).alias("column"),
        F.col(cell).cast("double").alias("cell"),
    )

    def pack(table: pa.Table) -> pa.Table:
        block = table["block"][0].as_py()
        matrix = compressed(table, block * block_rows, block_rows)
        return sparse_record(block, unit_rows(matrix))

    return cells.groupBy("block").applyInArrow(pack, SPARSE_BLOCK)


def compressed(table: pa.Table, first_row: int, rows: int) -> sparse.csr_matrix:
    """The cells of a table with row, column and cell, by row and then column, whatever order they came in."""
    row = table["row"].to_numpy().astype(np.int64) - first_row
    column, cell = table["column"].to_numpy(), table["cell"].to_numpy()
    order = np.lexsort((column, row))
    indptr = np.zeros(rows + 1, np.int64)
    np.cumsum(np.bincount(row, minlength=rows), out=indptr[1:])
    width = int(column.max()) + 1 if len(column) else 1
    return sparse.csr_matrix((cell[order], column[order], indptr), shape=(rows, width))


def unit_rows(matrix: sparse.csr_matrix) -> sparse.csr_matrix:
    """The matrix with every row that has a cell scaled to length 1."""
    norms = np.sqrt(np.asarray(matrix.multiply(matrix).sum(axis=1)).ravel())
    scale = np.divide(1.0, norms, out=np.zeros_like(norms), where=norms > 0)
    matrix.data *= np.repeat(scale, np.diff(matrix.indptr))
    return matrix


def sparse_record(block: int, matrix: sparse.csr_matrix) -> pa.Table:
    """A table of one SPARSE_BLOCK."""
    parts = [matrix.indptr.astype(np.int64), matrix.indices.astype(np.int32), matrix.data.astype(np.float64)]
    arrays = [pa.array([part.tobytes()], pa.binary()) for part in parts]
    return pa.table([pa.array([block], pa.int32()), *arrays], names=["block", "indptr", "columns", "cells"])


def unpack_sparse(record: dict, width: int) -> sparse.csr_matrix:
    """The matrix of one SPARSE_BLOCK, `width` columns wide."""
    indptr = np.frombuffer(record["indptr"], np.int64)
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


def records(batches: Iterator[pa.RecordBatch]) -> Iterator[dict]:
    """The rows of Arrow batches, one at a time: a batch of blocks is as large as Spark's bound on bytes allows."""
    for batch in batches:
        for position in range(batch.num_rows):
            yield {name: batch.column(name)[position].as_py() for name in batch.schema.names}


def stream(tasks: DataFrame, count: int, work: Callable, schema: str) -> DataFrame:
    """Runs `work` over the rows of each task, in the order of `step`; tasks are numbered from 0 to count - 1."""
    ordered = tasks.repartitionById(count, F.col("task")).sortWithinPartitions("task", "step")
    return ordered.mapInArrow(work, schema)
