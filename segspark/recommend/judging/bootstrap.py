"""Means over users with intervals, without the users ever coming together: a Poisson bootstrap.

Each user counts in each resample as often as a Poisson(1) draw says, and the draw is a hash of the user's number, the
resample and the seed (Chamandy et al. 2012). Only sums per resample leave the executors.
"""

from __future__ import annotations

from collections.abc import Callable, Container, Iterator, Mapping
from dataclasses import dataclass

import numpy as np
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


class Sums:
    """Totals, weights and users of each key in every resample, added up as some users after others come by."""

    def __init__(self, rounds: int, seed: int) -> None:
        self.rounds, self.seed = rounds, seed
        self.found: dict[Key, np.ndarray] = {}

    def add(self, numbers: np.ndarray, figures: Mapping[Key, Figures]) -> None:
        """Takes the figures of the users of these numbers."""
        for first in range(0, len(numbers), USERS_AT_A_TIME):
            some = slice(first, first + USERS_AT_A_TIME)
            draws = poisson_draws(numbers[some], self.rounds, self.seed)
            draws = np.concatenate([np.ones((len(draws), 1)), draws], axis=1)  # round 0 is everybody once
            for key, each in figures.items():
                drawn = _drawn(Figures(each.totals[some], each.weights[some]), draws)
                self.found[key] = self.found.get(key, 0.0) + drawn

    def batches(self) -> Iterator[pa.RecordBatch]:
        """One row for each key and resample, as SUMS."""
        for (method, metric), sums in self.found.items():
            yield sums_batch(method, metric, np.arange(sums.shape[1]), *sums)


def sums_batch(method: str, metric: str, rounds: np.ndarray, *sums: np.ndarray) -> pa.RecordBatch:
    """A batch of SUMS with rows of one method and metric."""
    names = [pa.array([name] * len(rounds), pa.string()) for name in (method, metric)]
    numbers = [pa.array(rounds, pa.int32()), *(pa.array(row, pa.float64()) for row in sums)]
    return pa.RecordBatch.from_arrays(names + numbers, names=[part.split()[0] for part in SUMS.split(", ")])


def resample(
    rows: DataFrame,
    figures: Callable[[pa.RecordBatch], Mapping[Key, Figures]],
    rounds: int,
    seed: int,
    roots: Container[str] = (),
) -> dict[Key, Estimate]:
    """The estimate of each (method, metric), over `rows` with one row per user with user_no.

    `figures` sees some users at a time. Collects (rounds + 1) sums for each key.
    """

    def sums(batches: Iterator[pa.RecordBatch]) -> Iterator[pa.RecordBatch]:
        found = Sums(rounds, seed)
        for batch in batches:
            found.add(batch.column("user_no").to_numpy(), figures(batch))
        yield from found.batches()

    by_round = rows.mapInArrow(sums, SUMS).groupBy("method", "metric", "round")
    summed = by_round.agg(*(F.sum(name).alias(name) for name in ("total", "weight", "users")))
    return estimates_of(summed.toArrow(), roots)


def estimates_of(sums: pa.Table, roots: Container[str] = ()) -> dict[Key, Estimate]:
    """The sum of totals over the sum of weights, or its root for `roots`, for each (method, metric) of SUMS.

    Keys for which no user has a weight are left out.
    """
    sums = sums.sort_by([(name, "ascending") for name in ("method", "metric", "round")])
    keys = list(zip(sums["method"].to_pylist(), sums["metric"].to_pylist(), strict=True))
    columns = np.stack([sums[name].to_numpy() for name in ("total", "weight", "users")])
    starts = [place for place, key in enumerate(keys) if place == 0 or key != keys[place - 1]]
    estimates = {
        keys[start]: _estimate(of_key, keys[start][1] in roots)
        for start, of_key in zip(starts, np.split(columns, starts[1:], axis=1), strict=False)  # none: one empty part
    }
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


def _estimate(sums: np.ndarray, is_root: bool) -> Estimate | None:
    """From totals, weights and users by round, the first of which is everybody's."""
    total, weight, users = sums
    ratios = np.divide(total, weight, out=np.full(len(total), np.nan), where=weight > 0)
    figures = np.sqrt(ratios) if is_root else ratios
    if np.isnan(figures[0]):
        return None
    low, high = np.nanpercentile(figures[1:], [2.5, 97.5])
    value, low, high = (round(float(each), DECIMALS) for each in (figures[0], low, high))
    return Estimate(value, low, high, int(users[0]))
