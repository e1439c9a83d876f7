"""What the users of a segment are like, in the features' own units, against all users."""

from collections.abc import Collection
from dataclasses import dataclass

import numpy as np
import pyarrow as pa
from pyspark.sql import Column, DataFrame
from pyspark.sql import functions as F

from segspark.segments.personas import Share
from segspark.segments.sample import hash_sample, lowest_hashes

CATEGORIES = ("gender", "education", "region", "favourite_category")
SHARE_ENDINGS = ("_share", "_rate")  # features that are shares by their name


@dataclass(frozen=True)
class Stats:
    """One feature over some users who have it; None where nobody does, or where it is a share."""

    mean: float | None
    median: float | None = None
    p10: float | None = None
    p90: float | None = None
    deviation: float | None = None


Profile = dict[str, Stats]
Sums = dict[str, np.ndarray]  # by feature: segments x (sum, number of values)


@dataclass(frozen=True)
class Profiles:
    """The profile of everyone and of each segment, in the order of the model's positions."""

    everyone: Profile
    segments: list[Profile]
    ids: list[int]  # segment_id of each
    shares: frozenset[str]  # features that are shares, between 0 and 1


@dataclass(frozen=True)
class ProfilePlan:
    """What to look at and how closely."""

    shares: dict[str, Share]
    top_values: int  # values of a category
    sample: int  # users whose percentiles are taken, on the driver
    seed: int


def numeric_features(features: DataFrame) -> list[str]:
    """The features that have a mean."""
    return [field.name for field in features.schema.fields if field.dataType.simpleString() == "double"]


def join_segments(features: DataFrame, assigned: DataFrame) -> DataFrame:
    """One row per user: user_id, categories, numeric features (null where not finite) and segment_id.

    `assigned` has user_id and segment_id, one row per user.
    """
    users = features.select("user_id", *known_categories(features), *map(_finite, numeric_features(features)))
    return users.join(assigned.select("user_id", "segment_id"), on="user_id", how="inner")


def known_categories(features: DataFrame) -> list[str]:
    """The categories that a frame has."""
    return [name for name in CATEGORIES if name in features.columns]


def profile_sample(joined: DataFrame, users: int, plan: ProfilePlan) -> pa.Table:
    """Up to `plan.sample` of the `users` rows of `join_segments`, by hash, on the driver."""
    return lowest_hashes(hash_sample(joined, plan.sample, users, plan.seed).toArrow(), plan.sample)


def profile_columns(joined: DataFrame, sample: pa.Table, plan: ProfilePlan) -> dict[str, Column]:
    """What profiles have means of: the numeric features, ranges of the plan, frequent values of each category."""
    return {**{name: F.col(name) for name in numeric_features(joined)}, **_share_columns(sample, plan)}


def add_up(joined: DataFrame, columns: dict[str, Column], ids: list[int]) -> Sums:
    """Sum and number of the values that each segment's users have, one row per id of `ids`: one pass over everyone."""
    sums = [F.sum(column).alias(f"sum {number}") for number, column in enumerate(columns.values())]
    counts = [F.count(column).alias(f"count {number}") for number, column in enumerate(columns.values())]
    found = {name: np.zeros((len(ids), 2)) for name in columns}
    for row in joined.groupBy("segment_id").agg(*sums, *counts).collect():  # a row per segment
        for number, totals in enumerate(found.values()):
            totals[ids.index(row["segment_id"])] = row[f"sum {number}"] or 0.0, row[f"count {number}"]
    return found


def profile_segments(sums: Sums, sample: pa.Table, ids: list[int], shares: Collection[str]) -> Profiles:
    """Means and shares over everyone, percentiles over the sample.

    `sums` are of `profile_columns`, `sample` has the numeric ones among them and segment_id, `shares` are the features
    that are no column of the sample.
    """
    numeric = [name for name in sums if name not in shares]
    everyone, *segments = [_means(sums, place) for place in (None, *range(len(ids)))]
    spread = [_spread(sample, numeric, segment) for segment in (None, *ids)]
    told = [_profile(mean, stats) for mean, stats in zip((everyone, *segments), spread, strict=True)]
    by_name = {name for name in numeric if name.endswith(SHARE_ENDINGS)}
    return Profiles(told[0], told[1:], ids, frozenset(by_name | set(shares)))


def _finite(name: str) -> Column:
    return F.when(F.abs(F.col(name)) < F.lit(float("inf")), F.col(name)).alias(name)


def _share_columns(sample: pa.Table, plan: ProfilePlan) -> dict[str, Column]:
    """1 or 0 per user, null where unknown: the ranges of the plan and the most frequent values of each category."""
    columns = {}
    for name, share in plan.shares.items():
        if share.feature in sample.column_names:
            columns[name] = F.col(share.feature).between(share.lower, share.upper).cast("double")
    for feature in category_values(sample, plan.top_values):
        category, _, value = feature.partition("=")
        columns[feature] = (F.col(category) == F.lit(value)).cast("double")
    return columns


def category_values(sample: pa.Table, count: int) -> list[str]:
    """The most frequent values of each category of a sample, as `gender=f`."""
    categories = [name for name in CATEGORIES if name in sample.column_names]
    return [f"{name}={value}" for name in categories for value in _top_values(sample.column(name), count)]


def _top_values(column: pa.ChunkedArray, count: int) -> list[str]:
    found = [(-entry["counts"], entry["values"]) for entry in column.drop_null().value_counts().to_pylist()]
    return [value for _, value in sorted(found)[:count]]


def _means(sums: Sums, place: int | None) -> dict[str, float | None]:
    """Of one segment or of everyone, rounded to 12 digits: sums in another order give the same."""
    chosen = {name: totals.sum(axis=0) if place is None else totals[place] for name, totals in sums.items()}
    return {name: _rounded(total / count) if count else None for name, (total, count) in chosen.items()}


def _spread(sample: pa.Table, numeric: list[str], segment: int | None) -> Profile:
    """Percentiles and deviation of one segment's users in the sample, or of all."""
    segments = sample.column("segment_id").to_numpy()
    chosen = np.ones(len(segments), dtype=bool) if segment is None else segments == segment
    found = {}
    for name in numeric:
        values = sample.column(name).to_numpy()[chosen]
        values = values[~np.isnan(values)]
        if len(values):
            p10, median, p90 = (_rounded(value) for value in np.quantile(values, [0.1, 0.5, 0.9]))
            found[name] = Stats(None, median, p10, p90, _rounded(values.std()))
    return found


def _profile(means: dict[str, float | None], spread: Profile) -> Profile:
    told = {}
    for name, mean in means.items():
        other = spread.get(name)
        if other is not None:
            told[name] = Stats(mean, other.median, other.p10, other.p90, other.deviation)
        else:
            deviation = (mean * (1 - mean)) ** 0.5 if mean is not None and 0 <= mean <= 1 else None
            told[name] = Stats(mean, deviation=deviation)
    return told


def _rounded(value: float) -> float:
    return float(f"{value:.12g}")
