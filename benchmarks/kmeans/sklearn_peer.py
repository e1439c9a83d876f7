"""scikit-learn's K-Means: Lloyd's iterations from one k-means++ start, on all cores, in the files' float32."""

from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
from sklearn.cluster import KMeans

from benchmarks.contestant import Ready, Task
from benchmarks.vectors import read_vectors


def run(task: Task, ready: Ready) -> None:
    """Fits and writes everyone's label."""
    ready()
    users, points = read_vectors(Path(task.inputs["vectors"]))
    model = KMeans(task.settings["k"], n_init=1, max_iter=task.settings["iterations"], tol=0.0, random_state=7)
    labels = model.fit_predict(points)
    pq.write_table(pa.table({"user_id": users, "label": labels}), task.output)
