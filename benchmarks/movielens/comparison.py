"""Ranking and rating error on MovieLens 100K, against what has been published and against `implicit`."""

from pathlib import Path

import numpy as np
import pandas as pd

from benchmarks.als.comparison import ndcg
from benchmarks.case import Case, Check, Contestant, Inputs, Workshop
from benchmarks.movielens.data import is_test, ratings

K = 10
OURS, IMPLICIT = "benchmarks.movielens.ours", "benchmarks.movielens.implicit_peer"
NAME = {"popularity": "ours, popularity", "item_cf": "ours, item CF", "user_cf": "ours, user CF"}
ALS, HYBRID, EXPLICIT = "ours, ALS", "ours, hybrid", "ours, explicit ALS"
LEAST_ALS, LEAST_HYBRID, MOST_ERROR, TIMES_POPULARITY = 0.45, 0.46, 0.93, 1.5


def prepare(size: int, workshop: Workshop) -> Inputs:
    """All ratings (`size` says how many there are), cut 75 to 25 within each user."""
    workshop.folder.mkdir(parents=True, exist_ok=True)
    rows = ratings()
    held_out = is_test(rows)
    paths = {"train": workshop.folder / "train.parquet", "held_out": workshop.folder / "held_out.parquet"}
    rows[~held_out].to_parquet(paths["train"])
    rows[held_out].to_parquet(paths["held_out"])
    return {name: str(path) for name, path in paths.items()}


def check(inputs: Inputs, outputs: dict[str, Path]) -> list[Check]:
    """ndcg_at_10 of lists without what the user rated before, every held-out rating a hit; rmse of predictions.

    Candidates are the items of the training part; users and items of the held-out part that it lacks count as missed.
    """
    held_out = pd.read_parquet(inputs["held_out"])
    found = {name: pd.read_parquet(path) for name, path in outputs.items()}
    quality = {name: ndcg(rows, held_out[["user_id", "item_id"]], K) for name, rows in found.items() if "rank" in rows}
    popular = quality.get(NAME["popularity"], 0.0)
    least = {ALS: LEAST_ALS, HYBRID: LEAST_HYBRID}
    least |= {NAME[method]: TIMES_POPULARITY * popular for method in ("item_cf", "user_cf")}
    checks = [
        Check(
            f"ndcg_at_10 of {name} at least {least.get(name, 0.0):.3f}", value >= least.get(name, 0.0), f"{value:.4f}"
        )
        for name, value in quality.items()
    ]
    if EXPLICIT in found:
        error = rmse(found[EXPLICIT], held_out)
        checks.append(Check(f"rmse of {EXPLICIT} at most {MOST_ERROR}", error <= MOST_ERROR, f"{error:.4f}"))
    return checks


def rmse(predicted: pd.DataFrame, held_out: pd.DataFrame) -> float:
    """Root mean squared error on the held-out ratings of users and items that the training part has."""
    both = held_out.merge(predicted, on=["user_id", "item_id"])
    return float(np.sqrt(((both["rating"] - both["prediction"]) ** 2).mean()))


CASE = Case(
    name="movielens",
    title="MovieLens 100K, 75 to 25 within each user: quality, not cost",
    unit="ratings",
    sizes={"tiny": (100_000,), "small": (100_000,), "full": (100_000,)},
    prepare=prepare,
    contestants=(
        Contestant("implicit, exact", IMPLICIT, {"method": "als"}),
        Contestant("implicit, item CF", IMPLICIT, {"method": "item_cf"}),
        *(Contestant(name, OURS, {"method": method}) for method, name in NAME.items()),
        Contestant(ALS, OURS, {"method": "als"}),
        Contestant(HYBRID, OURS, {"method": "hybrid"}),
        Contestant(EXPLICIT, OURS, {"method": "als_explicit"}),
    ),
    baseline="implicit, exact",
    check=check,
)
