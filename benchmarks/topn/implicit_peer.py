"""The top-N of the library `implicit`, on all cores."""

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
from implicit.cpu.topk import topk

from benchmarks.contestant import Ready, Task


def run(task: Task, ready: Ready) -> None:
    """Writes the best items of every user."""
    ready()
    users, of_users = _read(f"{task.inputs['model']}/userFactors")
    items, of_items = _read(f"{task.inputs['model']}/itemFactors")
    top_n = task.settings["top_n"]
    found, scores = topk(of_items, of_users, top_n, num_threads=0)
    rows = {
        "user_no": np.repeat(users, top_n),
        "rank": np.tile(np.arange(1, top_n + 1, dtype=np.int32), len(users)),
        "item_no": items[found.ravel()],
        "score": scores.ravel().astype(np.float64),
    }
    pq.write_table(pa.table(rows), task.output)


def _read(folder: str) -> tuple[np.ndarray, np.ndarray]:
    table = pq.read_table(folder)
    values = table["features"].combine_chunks().flatten().to_numpy(zero_copy_only=False)
    return table["id"].to_numpy(), values.reshape(len(table), -1)
