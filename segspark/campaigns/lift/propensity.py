"""How likely a user with such a past was to be contacted, and the weights that make the others like the contacted."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from functools import reduce

import numpy as np
import pandas as pd
from pyspark.sql import Column, DataFrame
from pyspark.sql import functions as F
from sklearn.linear_model import LogisticRegression

HIGHEST = 0.95  # propensity above which nobody is believed: a weight of 19 at most
OUTLIERS = (0.01, 0.99)  # quantiles of a covariate beyond which users count as if they were there
DIGITS = 9  # of a weight: the last bits of an exponential differ from machine to machine


@dataclass(frozen=True)
class Propensity:
    """A logistic regression on covariates and their logarithms: log odds = intercept + slopes * (value - centre)."""

    covariates: tuple[str, ...]
    lowest: tuple[float, ...]  # what a covariate counts as where it is lower
    highest: tuple[float, ...]  # and where it is higher
    centres: tuple[float, ...]  # of the covariates, then of their logarithms
    slopes: tuple[float, ...]  # the same
    intercept: float


def propensity_sample(people: DataFrame, covariates: Sequence[str], users: int, seed: int) -> DataFrame:
    """At most `users` users, as many contacted as others where there are so many: those with the lowest hashes.

    That one side is sampled more than the other changes only the intercept (Prentice and Pyke 1979), by which all
    weights are multiplied alike, and a weighted mean does not change.
    """
    draw = F.xxhash64("user_id", F.lit(seed))
    chosen = people.select("user_id", "treated", *(_told(name).alias(name) for name in covariates))
    sides = [chosen.where(side).orderBy(draw, "user_id") for side in (F.col("treated"), ~F.col("treated"))]
    return sides[0].limit(users // 2).unionAll(sides[1].limit(users // 2))


def fit_propensity(sample: pd.DataFrame, covariates: Sequence[str]) -> Propensity | None:
    """Of a collected `propensity_sample`; None where a side is empty or nothing varies.

    Outliers are drawn in: one big spender, for whom a slope fitted to others says that they were sure to be contacted,
    would else stand for dozens of users.
    """
    sample = sample.sort_values("user_id")
    contacted = sample["treated"].to_numpy(dtype=bool)
    values = sample[list(covariates)].to_numpy(dtype=float)
    if not values.size or contacted.all() or not contacted.any():
        return None
    lowest, highest = np.quantile(values, OUTLIERS, axis=0)
    values = np.clip(values, lowest, highest)
    features = np.concatenate([values, np.sign(values) * np.log1p(np.abs(values))], axis=1)
    centres, scales = features.mean(axis=0), features.std(axis=0)
    varies = scales > 0
    if not varies.any():
        return None
    scales[~varies] = 1.0
    fitted = LogisticRegression(max_iter=1000).fit((features - centres) / scales, contacted)
    slopes = fitted.coef_[0] / scales
    bounds = _floats(lowest), _floats(highest)
    return Propensity(tuple(covariates), *bounds, _floats(centres), _floats(slopes), float(fitted.intercept_[0]))


def with_weights(people: DataFrame, propensity: Propensity | None) -> DataFrame:
    """The same with `weight`: 1 for the contacted, p / (1 - p) for the others, with p cut off at the highest believed.

    So weighted, the others stand for the contacted (weights of the effect on the treated, Hirano and Imbens 2001). No
    propensity: 1 for all.
    """
    if propensity is None:
        return people.withColumn("weight", F.lit(1.0))
    highest = math.log(HIGHEST / (1 - HIGHEST))
    odds = F.exp(F.least(_log_odds(propensity), F.lit(highest)))
    return people.withColumn("weight", F.when(F.col("treated"), F.lit(1.0)).otherwise(F.round(odds, DIGITS)))


def _log_odds(propensity: Propensity) -> Column:
    bounds = zip(propensity.covariates, propensity.lowest, propensity.highest, strict=True)
    values = [F.least(F.greatest(_told(name), F.lit(low)), F.lit(high)) for name, low, high in bounds]
    features = values + [F.signum(value) * F.log1p(F.abs(value)) for value in values]
    known = zip(features, propensity.centres, propensity.slopes, strict=True)
    terms = [(feature - F.lit(centre)) * F.lit(slope) for feature, centre, slope in known]
    return reduce(lambda left, right: left + right, terms, F.lit(propensity.intercept))


def _told(name: str) -> Column:
    """A covariate that nobody knows counts as 0."""
    return F.coalesce(F.col(name).cast("double"), F.lit(0.0))


def _floats(values: np.ndarray) -> tuple[float, ...]:
    return tuple(float(value) for value in values)
