"""Weighted sides: what they add up to in Spark, and means, intervals and balance of them on the driver."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from pyspark.sql import Column, DataFrame, Row
from pyspark.sql import functions as F

from segspark.campaigns.lift.effect import Effect
from segspark.campaigns.lift.means import effect_of, noise_of

MEASURES = {"conversion": "converted", "revenue": "revenue", "active_days": "active_days"}
TERM = "decimal(30,8)"  # of a sum, so that no order of the rows changes a bit


@dataclass(frozen=True)
class Weighted:
    """One side: users, and sums by name. `w` is a weight, `y` a measure or covariate."""

    users: int
    sums: Mapping[str, float]

    @property
    def effective(self) -> float:
        """Users without weights who would tell as much: (sum of w)^2 / sum of w^2 (Kish 1965)."""
        return self.sums["w"] ** 2 / self.sums["ww"] if self.sums.get("ww") else 0.0

    def mean(self, name: str) -> float | None:
        """The weighted mean."""
        return self.sums[f"wy.{name}"] / self.sums["w"] if self.sums.get("w") else None

    def plain_mean(self, name: str) -> float | None:
        """The mean without weights."""
        return self.sums[f"y.{name}"] / self.users if self.users else None

    def plain_variance(self, name: str) -> float:
        """The variance (n - 1) without weights."""
        if self.users < 2:
            return 0.0
        spread = self.sums[f"yy.{name}"] - self.sums[f"y.{name}"] ** 2 / self.users
        return max(0.0, spread) / (self.users - 1)

    def variance_of_mean(self, name: str) -> float:
        """Of the weighted mean by linearisation, sum of w^2 (y - mean)^2 / (sum of w)^2: White's HC0 (1980)."""
        mean = self.mean(name) or 0.0
        squares = self.sums[f"wwyy.{name}"] - 2 * mean * self.sums[f"wwy.{name}"] + mean * mean * self.sums["ww"]
        return max(0.0, squares) / self.sums["w"] ** 2


def weighted_sums(weighted: DataFrame, covariates: Sequence[str]) -> DataFrame:
    """One row per segment_name and treated: users, and the sums of `Weighted` for the measures and covariates."""
    w = F.col("weight")
    terms: dict[str, Column] = {"w": w, "ww": w * w}
    for column in (*MEASURES.values(), *covariates):
        y = F.coalesce(F.col(column).cast("double"), F.lit(0.0))
        terms |= {f"wy.{column}": w * y, f"y.{column}": y, f"yy.{column}": y * y}
        terms |= {f"wwy.{column}": w * w * y, f"wwyy.{column}": w * w * y * y}
    added = [F.coalesce(F.sum(term.try_cast(TERM)), F.lit(0)).alias(name) for name, term in terms.items()]
    return weighted.groupBy("segment_name", "treated").agg(F.count(F.lit(1)).alias("users"), *added)


def side_of(rows: Iterable[Row], treated: bool, segment_name: str | None = None) -> Weighted:
    """The sums of one side from collected rows, of one segment or (None) of all. In no order in particular."""
    chosen = [row for row in rows if row["treated"] == treated and segment_name in (None, row["segment_name"])]
    names = [
        name for name in (chosen[0].asDict() if chosen else ()) if name not in ("segment_name", "treated", "users")
    ]
    sums = {name: math.fsum(float(row[name]) for row in chosen) for name in names}
    return Weighted(sum(row["users"] for row in chosen), sums)


def compare_weighted(treated: Weighted, control: Weighted, column: str, level: float) -> Effect:
    """The effect on the contacted: their mean against the weighted mean of the others.

    The standard error is that of weighted least squares on the side with HC1 (White 1980; MacKinnon and White 1985):
    weights count as known, which as a rule widens the interval (Lunceford and Davidian 2004). Degrees of freedom by
    Satterthwaite (1946) from the effective users.
    """
    mean, other = treated.mean(column), control.mean(column)
    if mean is None or other is None or min(treated.effective, control.effective) < 2:
        return Effect(treated.users, control.users, mean, other)
    users = treated.users + control.users
    correction = users / (users - 2)
    noise = noise_of((correction * side.variance_of_mean(column), side.effective - 1) for side in (treated, control))
    return effect_of(treated.users, control.users, mean, other, [] if noise is None else [noise], level)


def balance_of(treated: Weighted, control: Weighted, covariates: Sequence[str]) -> list[dict[str, Any]]:
    """Covariate, means and standardised mean differences, before and after weighting, in the order given.

    Both differences are by the deviation before weighting, the root of the sides' mean variance (Austin 2011); null
    where there is none.
    """
    rows = []
    for name in covariates:
        mean, before, after = treated.plain_mean(name), control.plain_mean(name), control.mean(name)
        deviation = math.sqrt((treated.plain_variance(name) + control.plain_variance(name)) / 2)
        rows.append(
            {
                "covariate": name,
                "treated": mean,
                "control": before,
                "control_weighted": after,
                "smd_before": _standardised(mean, before, deviation),
                "smd_after": _standardised(mean, after, deviation),
            }
        )
    return rows


def _standardised(mean: float | None, other: float | None, deviation: float) -> float | None:
    return None if mean is None or other is None or not deviation > 0 else (mean - other) / deviation
