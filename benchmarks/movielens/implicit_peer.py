"""The library `implicit` on MovieLens: exact ALS, and items by cosine."""

import numpy as np
import pyarrow.parquet as pq
from implicit.cpu.als import AlternatingLeastSquares
from implicit.nearest_neighbours import CosineRecommender
from scipy import sparse
from threadpoolctl import threadpool_limits

from benchmarks.als.implicit_peer import lists
from benchmarks.contestant import Ready, Task
from benchmarks.movielens.comparison import K

NEIGHBOURS = 50
WORK = {"factors": 32, "iterations": 10, "use_cg": False, "random_state": 7}
ALPHA, REG_PARAM = 0.3, 0.2  # as ours; MLlib multiplies the latter by a row's pairs


def run(task: Task, ready: Ready) -> None:
    """Fits on all ratings of the training part and writes the lists of every user."""
    ready()
    train = pq.read_table(task.inputs["train"])
    users, items = (train[name].combine_chunks().dictionary_encode() for name in ("user_id", "item_id"))
    weight = train["rating"].to_numpy().astype(np.float64)
    places = (users.indices.to_numpy(), items.indices.to_numpy())
    matrix = sparse.csr_matrix((weight, places), (len(users.dictionary), len(items.dictionary)))
    with threadpool_limits(limits=1, user_api="blas"):
        if task.settings["method"] == "als":
            model = AlternatingLeastSquares(regularization=REG_PARAM * matrix.nnz / matrix.shape[0], **WORK)
            confidence = matrix.copy()
            confidence.data = 1.0 + ALPHA * confidence.data
            model.fit(confidence, show_progress=False)
        else:
            model = CosineRecommender(K=NEIGHBOURS)
            model.fit(matrix, show_progress=False)
        found, scores = model.recommend(np.arange(matrix.shape[0]), matrix, N=K)
    pq.write_table(lists(users.dictionary, items.dictionary, found, scores), task.output)
