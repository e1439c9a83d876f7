"""The K-Means comparison."""

from pathlib import Path

import numpy as np
import pyarrow.parquet as pq

from benchmarks.case import Case, Check, Contestant, Inputs, Workshop
from benchmarks.vectors import read_vectors, write_vectors

WORK = {"k": 8, "iterations": 20}
COST_BOUND = 1.01  # within-cluster cost against the baseline's, and the sample's against the full fit's


def prepare(size: int, workshop: Workshop) -> Inputs:
    """Prepared features of `size` users."""
    folder = workshop.folder / "vectors"
    if not folder.exists():
        write_vectors(size, folder)
    return {"vectors": str(folder)}


def check(inputs: Inputs, outputs: dict[str, Path]) -> list[Check]:
    """Within-cluster costs, from the labels that each contestant wrote."""
    users, points = read_vectors(Path(inputs["vectors"]))
    labelled = {name: path for name, path in outputs.items() if name != "ours, choice of k"}
    costs = {name: cost_per_user(users.to_numpy(), points, path) for name, path in labelled.items()}
    pairs = [("ours, full", "scikit-learn"), ("ours, sample", "ours, full")]
    return [
        Check(f"cost of {name} at most {COST_BOUND} x {other}", ratio <= COST_BOUND, f"{ratio:.5f}")
        for name, other in pairs
        if name in costs and other in costs
        for ratio in [costs[name] / costs[other]]
    ]


def cost_per_user(users: np.ndarray, points: np.ndarray, path: Path) -> float:
    """Squared distance to the mean of the points with the same label, mean over all points."""
    table = pq.read_table(path, columns=["user_id", "label"]).sort_by("user_id")
    if not np.array_equal(table["user_id"].to_numpy(), users):
        raise ValueError(f"{path}: not one row for each user")
    labels = table["label"].to_numpy()
    sizes = np.bincount(labels)
    sums = np.stack([np.bincount(labels, weights=column) for column in points.T])
    total = sum(float(np.square(column, dtype=np.float64).sum()) for column in points.T)
    between = float((sums**2 / np.maximum(sizes, 1)).sum())
    return (total - between) / len(points)


CASE = Case(
    name="kmeans",
    title="K-Means, k = 8, 20 iterations, 25 features",
    unit="users",
    sizes={"tiny": (5_000,), "small": (100_000, 200_000, 400_000), "full": (500_000, 1_000_000, 2_000_000)},
    prepare=prepare,
    contestants=(
        Contestant("scikit-learn", "benchmarks.kmeans.sklearn_peer", WORK),
        Contestant("ours, full", "benchmarks.kmeans.ours", {**WORK, "fit": "full"}),
        Contestant("ours, sample", "benchmarks.kmeans.ours", {**WORK, "fit": "sample"}),
        Contestant("ours, choice of k", "benchmarks.kmeans.ours_choice"),
    ),
    baseline="scikit-learn",
    check=check,
)
