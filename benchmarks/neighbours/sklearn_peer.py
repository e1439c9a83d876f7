"""scikit-learn's brute force by cosine, on all cores: the exact answer."""

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
from sklearn.neighbors import NearestNeighbors

from benchmarks.contestant import Ready, Task

ROWS = 4096  # asked at a time


def run(task: Task, ready: Ready) -> None:
    """Writes the neighbours of every user."""
    ready()
    table = pq.read_table(task.inputs["factors"])
    values = table["factors"].combine_chunks().flatten().to_numpy(zero_copy_only=False)
    numbers, points = table["user_no"].to_numpy(), values.reshape(len(table), -1)
    count = task.settings["neighbours"]
    model = NearestNeighbors(n_neighbors=count + 1, metric="cosine", algorithm="brute").fit(points)
    parts = [_nearest(model, points, first, count) for first in range(0, len(points), ROWS)]
    user, other, similarity = (np.concatenate(part) for part in zip(*parts, strict=True))
    rank = np.tile(np.arange(1, count + 1, dtype=np.int32), len(points))
    rows = {"user_no": numbers[user], "rank": rank, "neighbour_no": numbers[other], "similarity": similarity}
    pq.write_table(pa.table(rows), task.output)


def _nearest(model: NearestNeighbors, points: np.ndarray, first: int, count: int) -> tuple[np.ndarray, ...]:
    """User, neighbour and similarity of each place, without the user."""
    distance, other = model.kneighbors(points[first : first + ROWS])
    user = np.arange(first, first + len(other))
    is_other = other != user[:, None]
    is_other[is_other.all(axis=1), -1] = False  # of many who are alike the user may not be among the nearest
    return np.repeat(user, count), other[is_other], 1.0 - distance[is_other].astype(np.float64)
