"""Factors of many users in planted clusters that overlap, by numpy."""

from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

RANK = 32
USERS_PER_CLUSTER = 250
SPREAD = 0.6  # of a user around the cluster's centre, in the deviations of the centres


def write_factors(users: int, folder: Path, seed: int = 7) -> None:
    """Writes user_no and factors (array<float> of 32); clusters have sizes as different as a shop's tastes."""
    folder.mkdir(parents=True, exist_ok=True)
    rng = np.random.default_rng(seed)
    clusters = max(2, users // USERS_PER_CLUSTER)
    centres = rng.normal(size=(clusters, RANK))
    shares = rng.dirichlet(np.full(clusters, 1.0))
    points = centres[rng.choice(clusters, users, p=shares)] + SPREAD * rng.normal(size=(users, RANK))
    lists = pa.ListArray.from_arrays(
        pa.array(np.arange(users + 1) * RANK, pa.int32()), pa.array(points.ravel().astype(np.float32))
    )
    pq.write_table(
        pa.table({"user_no": pa.array(np.arange(users), pa.int32()), "factors": lists}), folder / "part.parquet"
    )
