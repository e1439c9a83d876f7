"""scipy: the product of the normalised matrix with its transpose, a block of rows at a time."""

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
from scipy import sparse

from benchmarks.contestant import Ready, Task

BLOCK_ROWS = 2048


def run(task: Task, ready: Ready) -> None:
    """Writes the neighbours of every item."""
    ready()
    pairs = pq.read_table(task.inputs["pairs"])
    users, items = (pairs[name].combine_chunks().dictionary_encode() for name in ("user_id", "item_id"))
    shape = (len(items.dictionary), len(users.dictionary))
    cells = (pairs["weight"].to_numpy(), (items.indices.to_numpy(), users.indices.to_numpy()))
    matrix = sparse.csr_matrix(cells, shape)
    norms = sparse.linalg.norm(matrix, axis=1)
    matrix = sparse.diags_array(1.0 / norms).tocsr() @ matrix
    row, rank, neighbour, similarity = _nearest(matrix.tocsr(), task.settings["neighbours"])
    columns = [items.dictionary.take(pa.array(row)), rank, items.dictionary.take(pa.array(neighbour)), similarity]
    pq.write_table(pa.table(columns, names=["item_id", "rank", "neighbour_id", "similarity"]), task.output)


def _nearest(matrix: sparse.csr_matrix, count: int) -> tuple[np.ndarray, ...]:
    parts, transposed = [], matrix.T.tocsr()
    for first in range(0, matrix.shape[0], BLOCK_ROWS):
        block = (matrix[first : first + BLOCK_ROWS] @ transposed).tocsr()
        parts += [_best_of_row(block, row, first + row, count) for row in range(block.shape[0])]
    return tuple(np.concatenate(column) for column in zip(*parts, strict=True))


def _best_of_row(block: sparse.csr_matrix, row: int, item: int, count: int) -> tuple[np.ndarray, ...]:
    cells = slice(block.indptr[row], block.indptr[row + 1])
    other, value = block.indices[cells], block.data[cells]
    is_other = other != item
    other, value = other[is_other], value[is_other]
    if len(value) > count:
        kept = np.argpartition(value, -count)[-count:]
        other, value = other[kept], value[kept]
    order = np.argsort(-value, kind="stable")
    return np.full(len(order), item), np.arange(1, len(order) + 1), other[order], value[order]
