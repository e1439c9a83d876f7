"""The library `implicit`: ALS on all cores, exact (`use_cg` false) or by conjugate gradients, then its own top-N."""

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
from implicit.cpu.als import AlternatingLeastSquares
from scipy import sparse
from threadpoolctl import threadpool_limits

from benchmarks.contestant import Ready, Task


def run(task: Task, ready: Ready) -> None:
    """Fits and writes the best items of every user, without those the user has.

    BLAS keeps to one thread, as the library asks for. `implicit` takes the confidence itself where MLlib takes
    alpha, and one regularisation for all rows where MLlib multiplies it by a row's pairs.
    """
    ready()
    settings = task.settings
    pairs = pq.read_table(task.inputs["pairs"])
    users, items = (pairs[name].combine_chunks().dictionary_encode() for name in ("user_id", "item_id"))
    cells = (1.0 + settings["alpha"] * pairs["weight"].to_numpy()).astype(np.float32)
    matrix = sparse.csr_matrix(
        (cells, (users.indices.to_numpy(), items.indices.to_numpy())), (len(users.dictionary), len(items.dictionary))
    )
    with threadpool_limits(limits=1, user_api="blas"):
        model = AlternatingLeastSquares(
            factors=settings["rank"],
            regularization=settings["reg_param"] * matrix.nnz / matrix.shape[0],
            iterations=settings["iterations"],
            use_cg=settings["use_cg"],
            random_state=7,
        )
        model.fit(matrix, show_progress=False)
        found, scores = model.recommend(np.arange(matrix.shape[0]), matrix, N=settings["top_n"])
    pq.write_table(lists(users.dictionary, items.dictionary, found, scores), task.output)


def lists(users: pa.Array, items: pa.Array, found: np.ndarray, scores: np.ndarray) -> pa.Table:
    """One row per user and rank, from one row of numbers per user."""
    count, top_n = found.shape
    return pa.table(
        {
            "user_id": users.take(pa.array(np.repeat(np.arange(count), top_n))),
            "rank": pa.array(np.tile(np.arange(1, top_n + 1), count), pa.int32()),
            "item_id": items.take(pa.array(found.ravel())),
            "score": scores.ravel().astype(np.float64),
        }
    )
