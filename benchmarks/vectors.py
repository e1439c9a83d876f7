"""Prepared features of many users with planted segments that overlap, by numpy."""

from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

FEATURES = 25
PLANTED = 8
SPREAD = 0.4  # of the centres, in deviations of a segment: far apart, one bad start would decide the cost
FILE_ROWS = 250_000


def write_vectors(users: int, folder: Path, seed: int = 7) -> None:
    """Writes user_id and features (array<float> of 25), as `prepared_features` has them, in files of 250,000 users."""
    folder.mkdir(parents=True, exist_ok=True)
    rng = np.random.default_rng(seed)
    centres = rng.normal(0.0, SPREAD, (PLANTED, FEATURES))
    shares = rng.dirichlet(np.full(PLANTED, 8.0))
    for first in range(0, users, FILE_ROWS):
        count = min(FILE_ROWS, users - first)
        points = centres[rng.choice(PLANTED, count, p=shares)] + rng.normal(size=(count, FEATURES))
        lists = pa.ListArray.from_arrays(
            pa.array(np.arange(count + 1) * FEATURES, pa.int32()), pa.array(points.ravel().astype(np.float32))
        )
        numbers = pc.cast(pa.array(np.arange(first, first + count)), pa.string())
        names = pc.binary_join_element_wise("u", pc.utf8_lpad(numbers, 8, "0"), "")
        pq.write_table(
            pa.table({"user_id": names, "features": lists}), folder / f"part-{first // FILE_ROWS:03d}.parquet"
        )


def read_vectors(folder: Path) -> tuple[pa.ChunkedArray, np.ndarray]:
    """user_id, and the features as a matrix of float32."""
    table = pq.read_table(folder)
    values = table["features"].combine_chunks().flatten().to_numpy(zero_copy_only=False)
    return table["user_id"], values.reshape(len(table), -1)
