"""The comparison of many days with few."""

from pathlib import Path

import pandas as pd

from benchmarks.case import Case, Check, Contestant, Inputs, Workshop
from benchmarks.shop_days import ShopSize
from benchmarks.years.shop import write_years

FEW, MANY = 60, 5_400
WHOLE_FROM = 20_000  # events; smaller shops go up to their features, which is enough to prove that nothing is lost
MODULE = "benchmarks.years.ours"


def prepare(size: int, workshop: Workshop) -> Inputs:
    """Files of both shops."""
    inputs = {"stages": "" if size >= WHOLE_FROM else "ingest features"}
    for days in (FEW, MANY):
        folder = workshop.folder / f"files-{days}"
        if not folder.exists():
            write_years(ShopSize(size, days), folder)
        inputs[str(days)] = str(folder)
    return inputs


def check(inputs: Inputs, outputs: dict[str, Path]) -> list[Check]:
    """Every event, order line and rating is counted on some day of either shop."""
    found = {name: pd.read_parquet(path).iloc[0].to_dict() for name, path in outputs.items()}
    if len(found) < 2:
        return []
    one, other = found.values()
    return [Check("all days together add up to the same", one == other and one["events"] > 0, str(one))]


CASE = Case(
    name="years",
    title=f"A whole run: the same visits over {FEW} days and over {MANY:,}",
    unit="events",
    sizes={"tiny": (3_000,), "small": (50_000,), "full": (50_000, 500_000)},
    prepare=prepare,
    contestants=(
        Contestant(f"{FEW} days", MODULE, {"days": FEW}),
        Contestant(f"{MANY:,} days", MODULE, {"days": MANY}),
    ),
    baseline=f"{FEW} days",
    check=check,
)
