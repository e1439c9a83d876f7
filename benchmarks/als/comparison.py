"""The comparison of factors and lists."""

from pathlib import Path

import numpy as np
import pandas as pd

from benchmarks.case import Case, Check, Contestant, Inputs, Workshop
from benchmarks.interactions import write_interactions

TOP_N = 10
WORK = {"rank": 32, "iterations": 10, "alpha": 0.3, "reg_param": 0.2, "top_n": TOP_N}
QUALITY_BOUND = 0.95  # of the baseline's ndcg_at_k


def prepare(size: int, workshop: Workshop) -> Inputs:
    """About `size` pairs: one user per 20, one item per 65."""
    if not (workshop.folder / "held_out.parquet").exists():
        write_interactions(size, size // 20, size // 65, workshop.folder)
    return {"pairs": str(workshop.folder / "pairs"), "held_out": str(workshop.folder / "held_out.parquet")}


def check(inputs: Inputs, outputs: dict[str, Path]) -> list[Check]:
    """Ranking quality on pairs that nobody was shown."""
    held_out = pd.read_parquet(inputs["held_out"])
    quality = {name: ndcg(pd.read_parquet(path), held_out, TOP_N) for name, path in outputs.items()}
    best = quality.get(CASE.baseline)
    return [
        Check(
            f"ndcg_at_10 of {name} at least {QUALITY_BOUND} x {CASE.baseline}",
            best is None or value >= QUALITY_BOUND * best,
            f"{value:.4f}" if best is None else f"{value:.4f} against {best:.4f}",
        )
        for name, value in quality.items()
        if name != CASE.baseline
    ]


def ndcg(lists: pd.DataFrame, held_out: pd.DataFrame, k: int) -> float:
    """Normalised discounted cumulative gain, mean over the users with a held-out item; relevance is 0 or 1."""
    hits = lists[lists["rank"] <= k].merge(held_out, on=["user_id", "item_id"])
    gain = (1.0 / np.log2(hits["rank"] + 1.0)).groupby(hits["user_id"]).sum()
    best = np.cumsum(1.0 / np.log2(np.arange(2, k + 2)))
    counts = held_out.groupby("user_id").size().clip(upper=k)
    return float(gain.reindex(counts.index, fill_value=0.0).div(best[counts - 1]).mean())


CASE = Case(
    name="als",
    title="ALS, rank 32, 10 iterations, and 10 items for every user",
    unit="pairs",
    sizes={"tiny": (20_000,), "small": (160_000, 325_000, 650_000), "full": (1_300_000, 2_600_000, 5_200_000)},
    prepare=prepare,
    contestants=(
        Contestant("implicit, exact", "benchmarks.als.implicit_peer", {**WORK, "use_cg": False}),
        Contestant("implicit, CG", "benchmarks.als.implicit_peer", {**WORK, "use_cg": True}),
        Contestant("ours", "benchmarks.als.ours", {**WORK, "reasons": False}),
        Contestant("ours, with reasons", "benchmarks.als.ours", {**WORK, "reasons": True}),
    ),
    baseline="implicit, exact",
    check=check,
)
