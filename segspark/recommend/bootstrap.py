"""Means over users with intervals, without the users ever coming together: a Poisson bootstrap.

Each user counts in each resample as often as a Poisson(1) draw says, and the draw is a hash of the user's number, the
resample and the seed (Chamandy et al. 2012). Only sums per resample leave the executors.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
import pandas as pd
import pyarrow as pa
from pyspark.sql import DataFrame
from pyspark.sql import functions as F

from segspark.recommend.metrics import RANKING_METRICS, hits_of

SUMS = "method string, metric string, round int, total double, users double"
USERS_AT_A_TIME = 2000
POISSON_CUMULATIVE = np.array([0.36787944117144233, 0.7357588823428847, 0.9196986029286058, 0.9810118431238462,
                               0.9963401531726563, 0.9994058151824183, 0.9999167588507119, 0.9999897508033253,
                               0.9999988747974020, 0.9999998885745217])  # fmt: skip


@dataclass(frozen=True)
class Estimate:
    """A mean over users, the 2.5 % and 97.5 % points of its resamples, and how many users."""

    value: float
    low: float | None
    high: float | None
    users: int


def judge(judged: DataFrame, k: int, rounds: int, seed: int) -> dict[tuple[str, str], Estimate]:
    """The estimate of every (method, metric), methods als, popularity and als-popularity (per user, so paired).

    `judged` has a row per user: user_no, relevant (count), als and popularity (ranks of hits, null without). Collects
    3 * metrics * (rounds + 1) sums.
    """

    def sums(batches: Iterator[pa.RecordBatch]) -> Iterator[pa.RecordBatch]:
        for batch in batches:
            for first in range(0, batch.num_rows, USERS_AT_A_TIME):
                yield _sums_of(batch.slice(first, USERS_AT_A_TIME), k, rounds, seed)

    rows = judged.mapInArrow(sums, SUMS).groupBy("method", "metric", "round")
    collected = rows.agg(F.sum("total").alias("total"), F.sum("users").alias("users")).toPandas()
    groups = pd.DataFrame(collected).groupby(["method", "metric"])
    return {(method, metric): _estimate(group) for (method, metric), group in groups}


def poisson_draws(numbers: np.ndarray, rounds: int, seed: int) -> np.ndarray:
    """How often each number counts in each resample; the same for the same number, resample and seed."""
    with np.errstate(over="ignore"):
        keys = _mix(numbers.astype(np.uint64)[:, None] + _mix(np.array([seed], np.uint64)))
        uniform = _mix(keys ^ _mix(np.arange(1, rounds + 1, dtype=np.uint64))[None, :]) / 2.0**64
    return np.searchsorted(POISSON_CUMULATIVE, uniform, side="right").astype(float)


def _mix(keys: np.ndarray) -> np.ndarray:
    """SplitMix64's finaliser (Steele et al. 2014)."""
    keys = keys + np.uint64(0x9E3779B97F4A7C15)
    keys = (keys ^ (keys >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
    keys = (keys ^ (keys >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
    return keys ^ (keys >> np.uint64(31))


def _sums_of(batch: pa.RecordBatch, k: int, rounds: int, seed: int) -> pa.RecordBatch:
    relevant = batch.column("relevant").to_numpy().astype(np.int64)
    hits = {method: hits_of(batch.column(method).to_pylist(), k) for method in ("als", "popularity")}
    draws = poisson_draws(batch.column("user_no").to_numpy(), rounds, seed)
    draws = np.concatenate([np.ones((len(relevant), 1)), draws], axis=1)  # round 0 is everybody once
    rows: list[tuple[str, str, np.ndarray]] = []
    for name, metric in RANKING_METRICS.items():
        of = {method: metric(hit, relevant) for method, hit in hits.items()}
        of["als-popularity"] = of["als"] - of["popularity"]
        rows += [(method, name, values @ draws) for method, values in of.items()]
    return pa.RecordBatch.from_arrays(
        [
            pa.array(np.repeat([method for method, _, _ in rows], rounds + 1), pa.string()),
            pa.array(np.repeat([name for _, name, _ in rows], rounds + 1), pa.string()),
            pa.array(np.tile(np.arange(rounds + 1), len(rows)), pa.int32()),
            pa.array(np.concatenate([totals for _, _, totals in rows])),
            pa.array(np.tile(draws.sum(axis=0), len(rows))),
        ],
        names=["method", "metric", "round", "total", "users"],
    )


def _estimate(sums: pd.DataFrame) -> Estimate:
    everybody = sums[sums["round"] == 0].iloc[0]
    resampled = sums[(sums["round"] > 0) & (sums["users"] > 0)]
    low, high = np.percentile(resampled["total"] / resampled["users"], [2.5, 97.5])
    value = everybody["total"] / everybody["users"]
    return Estimate(round(float(value), 10), round(float(low), 10), round(float(high), 10), int(everybody["users"]))
