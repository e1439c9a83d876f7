"""The comparison of users' neighbours by factors."""

from pathlib import Path

import numpy as np
import pandas as pd

from benchmarks.case import Case, Check, Contestant, Inputs, Workshop
from benchmarks.neighbours.make_factors import write_factors

WORK = {"neighbours": 20}
LEAST_RECALL = 0.9
EQUAL = 1e-6  # of float32 distances
MOST_FOR_BRUTE_FORCE = 50_000  # users; it takes four times as long for twice as many


def prepare(size: int, workshop: Workshop) -> Inputs:
    """Factors of `size` users."""
    factors = workshop.folder / "factors"
    if not (factors / "part.parquet").exists():
        write_factors(size, factors)
    return {"factors": str(factors)}


def check(inputs: Inputs, outputs: dict[str, Path]) -> list[Check]:
    """The share of the places at which a similarity as high as the exact list's last was found."""
    if CASE.baseline not in outputs:
        return []
    last = _read(outputs[CASE.baseline]).groupby("user_no")["similarity"].min()
    return [_recall(name, _read(path), last) for name, path in outputs.items() if name != CASE.baseline]


def _read(path: Path) -> pd.DataFrame:
    return pd.read_parquet(path, columns=["user_no", "similarity"])


def _recall(name: str, found: pd.DataFrame, last: pd.Series) -> Check:
    good = np.count_nonzero(found["similarity"].to_numpy() >= last[found["user_no"]].to_numpy() - EQUAL)
    recall = good / (len(last) * WORK["neighbours"])
    return Check(f"{name} finds {LEAST_RECALL} of {CASE.baseline}'s or more", recall >= LEAST_RECALL, f"{recall:.3f}")


CASE = Case(
    name="neighbours",
    title="20 neighbours of every user by cosine of factors, rank 32",
    unit="users",
    sizes={"tiny": (2_000,), "small": (12_500, 25_000, 50_000), "full": (50_000, 100_000, 200_000)},
    prepare=prepare,
    contestants=(
        Contestant("scikit-learn", "benchmarks.neighbours.sklearn_peer", WORK, largest=MOST_FOR_BRUTE_FORCE),
        Contestant("ours", "benchmarks.neighbours.ours", WORK),
    ),
    baseline="scikit-learn",
    check=check,
)
