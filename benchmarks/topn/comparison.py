"""The comparison of lists from the same factors."""

from pathlib import Path

import numpy as np
import pandas as pd

from benchmarks.case import Case, Check, Contestant, Inputs, Workshop
from benchmarks.interactions import write_interactions

WORK = {"top_n": 10}
PAIRS_PER_USER = 8
EQUAL = 1e-4  # of float32 scores summed in another order
MOST_ITEMS = 100_000
LEAST_FOR_MOST_ITEMS = 20_000  # users; a test of fewer is about both being right
MOST_FOR_IMPLICIT = 200_000  # users; more take an hour
MOST_FOR_MLLIB = 100_000  # users; it makes every user's product with every item into objects


def prepare(size: int, workshop: Workshop) -> Inputs:
    """Factors of about `size` users and 100,000 items, of a fifth as many where users are few, from a short fit."""
    model = workshop.folder / "model"
    if not (model / "output").exists():
        items = MOST_ITEMS if size >= LEAST_FOR_MOST_ITEMS else size // 5
        write_interactions(size * PAIRS_PER_USER, size, items, workshop.folder)
        workshop.run("benchmarks.topn.make_factors", {"pairs": str(workshop.folder / "pairs")}, model, {})
    return {"model": str(model / "output")}


def check(inputs: Inputs, outputs: dict[str, Path]) -> list[Check]:
    """Scores of every place; the items too where the next place's score is not the same."""
    if CASE.baseline not in outputs:
        return []
    expected = _read(outputs[CASE.baseline])
    return [_compare(name, _read(path), expected) for name, path in outputs.items() if name != CASE.baseline]


def _read(path: Path) -> pd.DataFrame:
    rows = pd.read_parquet(path, columns=["user_no", "rank", "item_no", "score"])
    return rows.sort_values(["user_no", "rank"], ignore_index=True)


def _compare(name: str, found: pd.DataFrame, expected: pd.DataFrame) -> Check:
    claim = f"lists of {name} equal those of {CASE.baseline}"
    if len(found) != len(expected) or not np.array_equal(found["user_no"], expected["user_no"]):
        return Check(claim, False, f"{len(found):,} rows against {len(expected):,}")
    gap = float(np.abs(found["score"] - expected["score"]).max())
    score, user = expected["score"].to_numpy(), expected["user_no"].to_numpy()
    is_last = np.r_[user[1:] != user[:-1], True]
    clear = np.r_[True, np.abs(np.diff(score)) > EQUAL] & np.r_[np.abs(np.diff(score)) > EQUAL, True] & ~is_last
    other = int((found["item_no"].to_numpy() != expected["item_no"].to_numpy())[clear].sum())
    return Check(claim, gap <= EQUAL and other == 0, f"{len(found):,} rows, largest gap {gap:.1e}, {other} other items")


CASE = Case(
    name="topn",
    title="10 items for every user from given factors, rank 32",
    unit="users",
    sizes={"tiny": (2_000,), "small": (10_000, 20_000, 40_000), "full": (50_000, 100_000, 200_000)},
    prepare=prepare,
    contestants=(
        Contestant("implicit", "benchmarks.topn.implicit_peer", WORK, largest=MOST_FOR_IMPLICIT),
        Contestant("ours", "benchmarks.topn.ours", WORK),
        Contestant("MLlib recommendForAllUsers", "benchmarks.topn.mllib_peer", WORK, largest=MOST_FOR_MLLIB),
    ),
    baseline="implicit",
    check=check,
)
