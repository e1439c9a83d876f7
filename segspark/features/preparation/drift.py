"""How far the users' numbers have moved from an earlier run's: population stability index per feature."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import reduce
from typing import TYPE_CHECKING

import numpy as np
import pyarrow as pa
from pyspark.sql import functions as F
from scipy.stats import chi2

if TYPE_CHECKING:
    from pyspark.sql import DataFrame

BINS = 10  # between quantiles; what is missing is one more
EMPTY = 0.5  # users that an empty bin counts as, so that its logarithm exists
CHANCE = 0.999  # of users drawn twice from one shop, a share that stays below the bound


@dataclass(frozen=True)
class Drift:
    """One feature in two runs."""

    feature: str
    psi: float
    bound: float
    has_vanished: bool = False  # some user had it then, nobody has it now

    @property
    def has_drifted(self) -> bool:
        """Whether it moved farther than the bound."""
        return self.psi > self.bound


def borders_of(sample: np.ndarray) -> list[np.ndarray]:
    """The inner borders of each feature's bins, rising: deciles of its known values. Users x features, NaN missing.

    A value that several deciles share, as the nought of those who never did, has a bin of its own.
    """
    found = []
    for values in sample.T:
        known = values[np.isfinite(values)]
        if len(known) == 0:
            found.append(np.array([]))
            continue
        deciles, times = np.unique(np.quantile(known, np.arange(1, BINS) / BINS), return_counts=True)
        found.append(np.unique([*deciles, *np.nextafter(deciles[times > 1], -np.inf)]))
    return found


def bins_of(values: np.ndarray, borders: np.ndarray) -> np.ndarray:
    """Each value's bin: as many borders as lie below it; the bin after the last holds what is missing or infinite."""
    return np.where(np.isfinite(values), np.searchsorted(borders, values, side="left"), len(borders) + 1)


def counts_of(values: np.ndarray, borders: list[np.ndarray]) -> list[np.ndarray]:
    """For each feature the users in each of its bins. Users x features."""
    columns = zip(values.T, borders, strict=True)
    return [np.bincount(bins_of(column, own), minlength=len(own) + 2) for column, own in columns]


def count_bins(frames: Sequence[DataFrame], names: list[str], borders: list[np.ndarray]) -> DataFrame:
    """Users in each bin, of all frames in one pass: frame and feature (their places), bin, users.

    Executors need numpy only.
    """
    sizes = [len(own) + 2 for own in borders]

    def batches(source: Iterator[pa.RecordBatch]) -> Iterator[pa.RecordBatch]:
        counts: dict[int, np.ndarray] = {}
        for batch in source:
            place = batch.column(len(names)).to_numpy()
            columns = [batch.column(number).to_numpy(zero_copy_only=False) for number in range(len(names))]
            values = np.column_stack([column.astype(np.float64) for column in columns])
            for frame in np.unique(place):
                found = np.concatenate(counts_of(values[place == frame], borders))
                counts[frame] = counts.get(frame, 0) + found
        for frame, found in counts.items():
            columns = [
                pa.array(np.full(len(found), frame, np.int32)),
                pa.array(np.repeat(np.arange(len(sizes), dtype=np.int32), sizes)),
                pa.array(np.concatenate([np.arange(size, dtype=np.int32) for size in sizes])),
                pa.array(found),
            ]
            yield pa.RecordBatch.from_arrays(columns, ["frame", "feature", "bin", "users"])

    tagged = [frame.select(*names, F.lit(place).alias("frame")) for place, frame in enumerate(frames)]
    rows = reduce(lambda one, other: one.unionByName(other), tagged)
    counted = rows.mapInArrow(batches, "frame int, feature int, bin int, users bigint")
    return counted.groupBy("frame", "feature", "bin").agg(F.sum("users").alias("users"))


def stability_index(then: np.ndarray, now: np.ndarray) -> float:
    """Population stability index of two counts over the same bins: sum of (q - p) ln(q / p) over shares p then, q now.

    Siddiqi 2006 takes below 0.1 for no change and from 0.25 on for a great one.
    """
    p, q = (np.maximum(counts, EMPTY) / max(counts.sum(), 1) for counts in (then, now))
    return float(((q - p) * np.log(q / p)).sum())


def by_chance(then: np.ndarray, now: np.ndarray) -> float:
    """What the index reaches once in a thousand draws of so many users from one population.

    It is distributed as (1 / n + 1 / m) times chi-squared with one degree of freedom less than bins (Yurdakul 2018).
    """
    filled = int(((then + now) > 0).sum())
    if filled < 2:
        return 0.0
    return float(chi2.ppf(CHANCE, filled - 1)) * (1 / max(then.sum(), 1) + 1 / max(now.sum(), 1))


def compare(names: list[str], then: list[np.ndarray], now: list[np.ndarray], bound: float) -> list[Drift]:
    """One entry per feature, from its counts in two runs; the last bin of each holds those without a value."""
    drifts = []
    for name, before, after in zip(names, then, now, strict=True):
        has_vanished = bool(before[:-1].sum() > 0 and after[:-1].sum() == 0)
        index, chance = stability_index(before, after), by_chance(before, after)
        drifts.append(Drift(name, float(f"{index:.9g}"), max(bound, float(f"{chance:.9g}")), has_vanished))
    return drifts
