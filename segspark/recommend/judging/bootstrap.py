"""Means over users with intervals, without the users ever coming together: a Poisson bootstrap.

Each user counts in each resample as often as a Poisson(1) draw says, and the draw is a hash of the user's number, the
resample and the seed (Chamandy et al. 2012). Only sums per resample leave the executors.
"""

from __future__ import annotations

from collections.abc import Callable, Container, Iterator, Mapping
from dataclasses import dataclass

import numpy as np
import pandas as pd
import pyarrow as pa
from pyspark.sql import DataFrame
from pyspark.sql import functions as F

SUMS = "method string, metric string, round int, total double, weight double, users double"
USERS_AT_A_TIME = 2000
DECIMALS = 10  # of what is reported: the last bits of a sum depend on the order of the rows
POISSON_CUMULATIVE = np.array([0.36787944117144233, 0.7357588823428847, 0.9196986029286058, 0.9810118431238462,
                               0.9963401531726563, 0.9994058151824183, 0.9999167588507119, 0.9999897508033253,
                               0.9999988747974020, 0.9999998885745217])  # fmt: skip

Key = tuple[str, str]  # method and metric


@dataclass(frozen=True)
class Estimate:
    """A figure over users, the 2.5 % and 97.5 % points of its resamples (None without), and how many users."""

    value: float
    low: float | None
    high: float | None
    users: int


@dataclass(frozen=True)
class Figures:
    """What one batch of users says of one method and metric: per user a sum and what it is divided by.

    For a mean over users `weights` is 1, or 0 for a user for whom the metric is not defined.
    """

    totals: np.ndarray
    weights: np.ndarray


def mean_figures(values: np.ndarray) -> Figures:
    """The figures of a mean over the users whose value is not NaN."""
    is_defined = ~np.isnan(values)
    return Figures(np.where(is_defined, values, 0.0), is_defined.astype(float))


def resample(
    rows: DataFrame,
    figures: Callable[[pa.RecordBatch], Mapping[Key, Figures]],
    rounds: int,
    seed: int,
    roots: Container[str] = (),
) -> dict[Key, Estimate]:
    """The estimate of each (method, metric): the sum of totals over the sum of weights, or its root for `roots`.

    `rows` has one row per user with user_no; `figures` sees some users at a time. Collects (rounds + 1) sums for each
    key; keys for which no user has a weight are left out.
    """

    def sums(batches: Iterator[pa.RecordBatch]) -> Iterator[pa.RecordBatch]:
        found: dict[Key, np.ndarray] = {}
        for batch in batches:
            for first in range(0, batch.num_rows, USERS_AT_A_TIME):
                some = batch.slice(first, USERS_AT_A_TIME)
                draws = poisson_draws(some.column("user_no").to_numpy(), rounds, seed)
                draws = np.concatenate([np.ones((len(draws), 1)), draws], axis=1)  # round 0 is everybody once
                for key, each in figures(some).items():
                    found[key] = found.get(key, 0.0) + _drawn(each, draws)
        yield from _as_batches(found)

    summed = rows.mapInArrow(sums, SUMS).groupBy("method", "metric", "round")
    collected = summed.agg(*(F.sum(name).alias(name) for name in ("total", "weight", "users"))).toPandas()
    groups = pd.DataFrame(collected).groupby(["method", "metric"])
    estimates = {(method, metric): _estimate(group, metric in roots) for (method, metric), group in groups}
    return {key: estimate for key, estimate in estimates.items() if estimate is not None}


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


def _drawn(figures: Figures, draws: np.ndarray) -> np.ndarray:
    """Totals, weights and users with a weight, each per round."""
    return np.stack([figures.totals, figures.weights, (figures.weights > 0).astype(float)]) @ draws


def _as_batches(found: Mapping[Key, np.ndarray]) -> Iterator[pa.RecordBatch]:
    for (method, metric), sums in found.items():
        rounds = sums.shape[1]
        names = [pa.array([name] * rounds, pa.string()) for name in (method, metric)]
        arrays = [*names, pa.array(np.arange(rounds), pa.int32()), *(pa.array(row) for row in sums)]
        yield pa.RecordBatch.from_arrays(arrays, names=["method", "metric", "round", "total", "weight", "users"])


def _estimate(sums: pd.DataFrame, is_root: bool) -> Estimate | None:
    ratios = (sums["total"] / sums["weight"].where(sums["weight"] > 0)).to_numpy()
    figures, is_drawn = np.sqrt(ratios) if is_root else ratios, (sums["round"] > 0).to_numpy()
    everybody = int(np.flatnonzero(~is_drawn)[0])
    if np.isnan(figures[everybody]):
        return None
    low, high = np.nanpercentile(figures[is_drawn], [2.5, 97.5])
    value, low, high = (round(float(each), DECIMALS) for each in (figures[everybody], low, high))
    return Estimate(value, low, high, int(sums["users"].iloc[everybody]))
