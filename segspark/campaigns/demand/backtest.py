"""Every way to forecast, from earlier days too, and how far each was off.

`forecasts` is one row per series, origin, week and model:

- segment_name, category, item_id (null: the whole category)
- origin (date): the day from which is forecast; only earlier days are looked at
- week (date): first day of seven; model (string)
- expected, following (double): units of the week, and of the week after it
- actual (double): units that were sold; null from `as_of` on
- level, naive_error (double): units a week, of the history before the origin
- recent (double): units of the last RECENT_DAYS before the origin
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from typing import TYPE_CHECKING, Any

import numpy as np
import pyarrow as pa
from pyspark.sql import Column, DataFrame, Row
from pyspark.sql import functions as F

from segspark.campaigns.demand.forecasting import DAYS, MODELS, OURS, Numbers, level, naive_error, weekly_totals
from segspark.campaigns.demand.series import SERIES
from segspark.core.exact import exact_sum

if TYPE_CHECKING:
    from segspark.campaigns.config import DemandConfig

LEAST_TRAINING_WEEKS = 4  # before an origin of the back-test
LOW, HIGH = 0.1, 0.9  # points of the errors
RECENT_DAYS = 28
FORECASTS = (
    "segment_name string, category string, item_id string, origin date, week date, model string, expected double,"
    " following double, actual double, level double, naive_error double, recent double"
)
ROW = pa.schema(
    [
        *((name, pa.string()) for name in SERIES),
        ("origin", pa.date32()),
        ("week", pa.date32()),
        ("model", pa.string()),
        *((name, pa.float64()) for name in ("expected", "following", "actual", "level", "naive_error", "recent")),
    ]
)


@dataclass(frozen=True)
class Way:
    """How a level is forecast: by which model, and the points of its errors as shares of a series' level."""

    model: str
    low: float | None = None  # null where no earlier week could be judged
    high: float | None = None


def origins_of(config: DemandConfig, as_of: date) -> list[date]:
    """The first days of the back-test's forecasts, whose weeks follow one another and end where `as_of` begins."""
    return [as_of - timedelta(weeks=config.weeks * back) for back in range(config.origins, 0, -1)]


def forecasts_of(series: DataFrame, first: date, origins: Sequence[date], weeks: int, as_of: date) -> DataFrame:
    """`forecasts` of `weeks` weeks from each of the origins, and from `as_of`. `first` is the shop's first day.

    An origin with less than four weeks of history is left out. A group holds the days of one series. The frame is read
    by all that follows: a checkpoint serves best.
    """
    begins = [*sorted(origins), as_of]
    return series.groupBy(*SERIES).applyInArrow(_forecaster(first, begins, weeks, as_of), FORECASTS)


def judge(forecasts: DataFrame) -> DataFrame:
    """One row per level and model, over the weeks that are over: errors (the sum), units, scaled, scalable, forecasts,
    first_origin, last_origin; and points, those of LOW and HIGH of the errors as shares of the series' level.

    `scaled` is the sum of errors by `naive_error`, over the `scalable` forecasts that have one.
    """
    judged = forecasts.where(F.col("actual").isNotNull()).withColumn(
        "error", F.abs(F.col("expected") - F.col("actual"))
    )
    scale = F.when(F.col("naive_error") > 0, F.col("naive_error"))
    share = F.when(F.col("level") > 0, (F.col("actual") - F.col("expected")) / F.col("level"))
    return judged.groupBy(level_of().alias("of"), "model").agg(
        exact_sum(F.col("error")).alias("errors"),
        exact_sum(F.col("actual")).alias("units"),
        exact_sum(F.col("error") / scale).alias("scaled"),
        F.count(scale).alias("scalable"),
        F.count(F.lit(1)).alias("forecasts"),
        F.min("origin").alias("first_origin"),
        F.max("origin").alias("last_origin"),
        F.percentile(share, F.array(F.lit(LOW), F.lit(HIGH))).alias("points"),
    )


def demand_accuracy(judged: Sequence[Row], scheme: str) -> list[dict[str, Any]]:
    """Rows of DEMAND_ACCURACY from collected rows of `judge`.

    mase is the mean over forecasts of the error by `naive_error`; a series whose weeks were all alike has none.
    """
    used = {(level, way.model) for level, way in ways_of(judged).items()}
    return [
        {
            "scheme": scheme,
            "level": row.of,
            "model": row.model,
            "mae": _ratio(row.errors, row.forecasts),
            "wape": _ratio(row.errors, row.units),
            "mase": _ratio(row.scaled, row.scalable),
            "forecasts": row.forecasts,
            "first_origin": row.first_origin,
            "last_origin": row.last_origin,
            "used": (row.of, row.model) in used,
        }
        for row in judged
    ]


def ways_of(judged: Sequence[Row]) -> dict[str, Way]:
    """By level the model of the least wape, ours where none is less; from collected rows of `judge`."""
    best: dict[str, Row] = {}
    for row in sorted(judged, key=_badness):
        best.setdefault(row.of, row)
    return {level: Way(row.model, *(row.points or (None, None))) for level, row in best.items()}


def level_of() -> Column:
    """Whether a series is of a category or of an item."""
    return F.when(F.col("item_id").isNull(), "category").otherwise("item")


def _badness(row: Row) -> tuple[float, bool, str]:
    return _ratio(row.errors, row.units) or 0.0, row.model != OURS, row.model


def _ratio(total: float | None, count: float) -> float | None:
    return None if total is None or not count else total / count


def _forecaster(first: date, origins: Sequence[date], weeks: int, as_of: date) -> Callable[[pa.Table], pa.Table]:
    def forecast(table: pa.Table) -> pa.Table:
        daily = _daily(table, first, as_of)
        series = {name: table.column(name)[0].as_py() for name in SERIES}
        rows = [row for origin in origins for row in _rows(daily, first, origin, weeks, as_of)]
        return pa.Table.from_pylist([{**series, **row} for row in rows], ROW)

    return forecast


def _daily(table: pa.Table, first: date, as_of: date) -> Numbers:
    """The units of each day from `first` to before `as_of`: none on days without a row."""
    sold = table.filter(table.column("day").is_valid())
    daily = np.zeros((as_of - first).days)
    daily[[(day - first).days for day in sold.column("day").to_pylist()]] = sold.column("units").to_numpy()
    return daily


def _rows(daily: Numbers, first: date, origin: date, weeks: int, as_of: date) -> Iterator[dict[str, object]]:
    """The forecasts of one series from one origin. `daily` begins with the day `first` and has no gap."""
    known = max(0, (origin - first).days)
    if origin < as_of and known < LEAST_TRAINING_WEEKS * DAYS:
        return
    totals = weekly_totals(daily[:known])
    recent = float(daily[max(0, known - RECENT_DAYS) : known].sum())
    about = {"origin": origin, "level": level(totals), "naive_error": naive_error(totals), "recent": recent}
    for model, forecaster in MODELS.items():
        expected = forecaster(totals, weeks + 1)
        for ahead in range(weeks):
            week = daily[known + ahead * DAYS : known + (ahead + 1) * DAYS]
            yield {
                **about,
                "week": origin + timedelta(weeks=ahead),
                "model": model,
                "expected": float(expected[ahead]),
                "following": float(expected[ahead + 1]),
                "actual": float(np.sum(week)) if len(week) == DAYS else None,
            }
