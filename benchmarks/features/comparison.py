"""The comparison of user features."""

from collections.abc import Mapping
from datetime import timedelta
from pathlib import Path

import numpy as np
import pandas as pd
import pyarrow.dataset as ds

from benchmarks.case import Case, Check, Contestant, Inputs, Workshop
from benchmarks.features.columns import BOUNDS, NUMBERS, TEXTS
from benchmarks.shop_days import FIRST_DAY, ShopSize, write_shop

DAYS = 60
NOT_COMPARED = {"run_id", "as_of", "user_bucket", "user_id", "is_bot", *TEXTS}


def prepare(size: int, workshop: Workshop) -> Inputs:
    """Log tables of about `size` events over 60 days, and orders, ratings, users and items to them."""
    files, lake = workshop.folder / "files", workshop.folder / "logs"
    if not (lake / "output" / "items").exists():
        write_shop(ShopSize(size, DAYS), files)
        workshop.run("benchmarks.features.make_lake", {"files": str(files)}, lake, {})
    return {"lake": str(lake / "output"), "as_of": str(FIRST_DAY + timedelta(days=DAYS))}


def check(inputs: Inputs, outputs: dict[str, Path]) -> list[Check]:
    """Column by column against ours: every column of our table that is no text is a double."""
    if "ours" not in outputs:
        return []
    ours = read_features(outputs["ours"])
    unknown = sorted(set(ours.columns) - NOT_COMPARED - set(NUMBERS))
    checks = [Check("every feature of ours is computed by the peers", not unknown, ", ".join(unknown) or "all")]
    others = [name for name in outputs if name != "ours"]
    return checks + [compare(f"{name} and ours", read_features(outputs[name]), ours, BOUNDS) for name in others]


def read_features(path: Path) -> pd.DataFrame:
    """One row per user, in the order of user_id."""
    rows = ds.dataset(path, format="parquet").to_table().to_pandas().set_index("user_id").sort_index()
    return rows.astype(dict.fromkeys(set(NUMBERS) & set(rows.columns), "float64"))


def compare(who: str, found: pd.DataFrame, expected: pd.DataFrame, bounds: Mapping[str, float]) -> Check:
    """Every column of every user; `bounds` say how far apart two numbers may lie, 0 where a name is not there."""
    columns = (*NUMBERS, *TEXTS, "is_bot")
    claim = f"the {len(columns)} columns of {who}"
    if not found.index.equals(expected.index):
        return Check(claim, False, f"{len(found):,} users against {len(expected):,}")
    wrong = {name: _differing(found[name], expected[name], bounds.get(name, 0.0)) for name in columns}
    told = ", ".join(f"{name} for {count:,} users" for name, count in wrong.items() if count)
    return Check(claim, not told, told or f"for all {len(expected):,} users")


def _differing(one: pd.Series, other: pd.Series, bound: float) -> int:
    """For how many users; null equals null only."""
    if one.name in NUMBERS:
        return int((~np.isclose(one, other, rtol=bound, atol=bound, equal_nan=True)).sum())
    return int(((one != other) & ~(one.isna() & other.isna())).sum())


CASE = Case(
    name="features",
    title="User features from events, orders, ratings, users and items",
    unit="events",
    sizes={
        "tiny": (20_000,),
        "small": (1_500_000, 3_000_000, 6_000_000),
        "full": (15_000_000, 30_000_000, 60_000_000),
    },
    prepare=prepare,
    contestants=(
        Contestant("DuckDB", "benchmarks.features.duckdb_peer"),
        Contestant("Polars", "benchmarks.features.polars_peer"),
        Contestant("ours", "benchmarks.features.ours"),
    ),
    baseline="DuckDB",
    check=check,
)
