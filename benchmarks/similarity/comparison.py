"""The comparison of item similarity."""

from pathlib import Path

import numpy as np
import pandas as pd

from benchmarks.case import Case, Check, Contestant, Inputs, Workshop
from benchmarks.interactions import write_interactions

WORK = {"neighbours": 50}
EQUAL = 1e-6


def prepare(size: int, workshop: Workshop) -> Inputs:
    """About `size` pairs: one user per 20, one item per 200, at least 500."""
    if not (workshop.folder / "held_out.parquet").exists():
        write_interactions(size, size // 20, max(500, size // 200), workshop.folder)
    return {"pairs": str(workshop.folder / "pairs")}


def check(inputs: Inputs, outputs: dict[str, Path]) -> list[Check]:
    """The similarities of every place, and the neighbours themselves where they are no tie with the last place."""
    if CASE.baseline not in outputs:
        return []
    expected = _read(outputs[CASE.baseline])
    others = [name for name in outputs if name != CASE.baseline]
    return [_compare(name, _read(outputs[name]), expected) for name in others]


def _read(path: Path) -> pd.DataFrame:
    rows = pd.read_parquet(path, columns=["item_id", "rank", "neighbour_id", "similarity"])
    return rows.sort_values(["item_id", "rank"], ignore_index=True)


def _compare(name: str, found: pd.DataFrame, expected: pd.DataFrame) -> Check:
    claim = f"neighbours and similarities of {name} equal {CASE.baseline}'s to {EQUAL}"
    if len(found) != len(expected) or not found["item_id"].equals(expected["item_id"]):
        return Check(claim, False, f"{len(found):,} rows against {len(expected):,}")
    gap = float(np.abs(found["similarity"] - expected["similarity"]).max())
    missing = _above_last(expected).merge(found, on=["item_id", "neighbour_id"], how="left", indicator=True)
    missed = int((missing["_merge"] == "left_only").sum())
    return Check(claim, gap <= EQUAL and missed == 0, f"{len(found):,} rows, largest gap {gap:.1e}, {missed} missed")


def _above_last(rows: pd.DataFrame) -> pd.DataFrame:
    last = rows.groupby("item_id")["similarity"].transform("min")
    return rows.loc[rows["similarity"] > last + EQUAL, ["item_id", "neighbour_id"]]


CASE = Case(
    name="similarity",
    title="Item similarity by cosine, 50 neighbours",
    unit="pairs",
    sizes={"tiny": (20_000,), "small": (250_000, 500_000, 1_000_000), "full": (2_500_000, 5_000_000, 10_000_000)},
    prepare=prepare,
    contestants=(
        Contestant("scipy", "benchmarks.similarity.scipy_peer", WORK),
        Contestant("ours", "benchmarks.similarity.ours", WORK),
        Contestant("SQL self-join", "benchmarks.similarity.sql_peer", WORK, largest=2_500_000),
    ),
    baseline="scipy",
    check=check,
)
