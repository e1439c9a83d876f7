"""Every way to forecast, from earlier days too, and how far each was off.

`forecasts` is one row per series, origin, week and model:

- segment_name, category, item_id (null: the whole category)
- origin (date): the day from which is forecast; only earlier days are looked at
- week (date): first day of seven; model (string)
- expected, following (double): units of the week, and of the week after it
- actual (double): units that were sold; null from `as_of` on
- level, naive_error (double): units a week, of the history before the origin
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from datetime import date, timedelta
from typing import TYPE_CHECKING

import numpy as np
import pyarrow as pa
from pyspark.sql import Column, DataFrame
from pyspark.sql import functions as F

from segspark.campaigns.demand.forecasting import DAYS, MODELS, OURS, Numbers, level, naive_error, weekly_totals
from segspark.campaigns.demand.series import SERIES
from segspark.core.campaign_tables import DEMAND_ACCURACY
from segspark.core.contract import conform
from segspark.core.exact import exact_sum

if TYPE_CHECKING:
    from segspark.campaigns.config import DemandConfig

LEAST_TRAINING_WEEKS = 4  # before an origin of the back-test
LOW, HIGH = 0.1, 0.9  # points of the errors
FORECASTS = (
    "segment_name string, category string, item_id string, origin date, week date, model string, expected double,"
    " following double, actual double, level double, naive_error double"
)
ROW = pa.schema(
    [
        *((name, pa.string()) for name in SERIES),
        ("origin", pa.date32()),
        ("week", pa.date32()),
        ("model", pa.string()),
        *((name, pa.float64()) for name in ("expected", "following", "actual", "level", "naive_error")),
    ]
)


def origins_of(config: DemandConfig, as_of: date) -> list[date]:
    """The first days of the back-test's forecasts, whose weeks follow one another and end where `as_of` begins."""
    return [as_of - timedelta(weeks=config.weeks * back) for back in range(config.origins, 0, -1)]


def forecasts_of(series: DataFrame, origins: Sequence[date], weeks: int, as_of: date) -> DataFrame:
    """`forecasts` of `weeks` weeks from each of the origins, and from `as_of`.

    An origin with less than four weeks of history is left out. A group holds the days of one series. The frame is read
    by all that follows: a checkpoint serves best.
    """
    begins = [*sorted(origins), as_of]
    return series.groupBy(*SERIES).applyInArrow(_forecaster(begins, weeks, as_of), FORECASTS)


def demand_accuracy(forecasts: DataFrame, scheme: str) -> DataFrame:
    """DEMAND_ACCURACY of the weeks that are over. The least wape of a level is used, ours where none is less.

    mase is the mean over forecasts of the error by `naive_error`; a series whose weeks were all alike has none.
    """
    judged = forecasts.where(F.col("actual").isNotNull()).withColumn(
        "error", F.abs(F.col("expected") - F.col("actual"))
    )
    scale = F.when(F.col("naive_error") > 0, F.col("naive_error"))
    summed = judged.groupBy(level_of().alias("level"), "model").agg(
        exact_sum(F.col("error")).alias("errors"),
        exact_sum(F.col("actual")).alias("units"),
        exact_sum(F.col("error") / scale).alias("scaled"),
        F.count(scale).alias("scalable"),
        F.count(F.lit(1)).alias("forecasts"),
        F.min("origin").alias("first_origin"),
        F.max("origin").alias("last_origin"),
    )
    measured = summed.select(
        F.lit(scheme).alias("scheme"),
        "*",
        (F.col("errors") / F.col("forecasts")).alias("mae"),
        F.try_divide("errors", "units").alias("wape"),
        F.try_divide("scaled", "scalable").alias("mase"),
    )
    return conform(measured.join(_used(measured), on="level", how="inner").select("*", _is_used()), DEMAND_ACCURACY)


def error_points(forecasts: DataFrame) -> DataFrame:
    """The 10 % and 90 % points of a model's errors, as shares of the series' level: level, model, low, high."""
    error = (F.col("actual") - F.col("expected")) / F.col("level")
    judged = forecasts.where(F.col("actual").isNotNull() & (F.col("level") > 0))
    points = F.percentile(error, F.array(F.lit(LOW), F.lit(HIGH)))
    found = judged.groupBy(level_of().alias("level"), "model").agg(points.alias("points"))
    return found.select("level", "model", F.col("points")[0].alias("low"), F.col("points")[1].alias("high"))


def level_of() -> Column:
    """Whether a series is of a category or of an item."""
    return F.when(F.col("item_id").isNull(), "category").otherwise("item")


def _used(measured: DataFrame) -> DataFrame:
    """level and chosen, the model of the least wape."""
    order = F.struct(F.coalesce("wape", F.lit(0.0)), F.col("model") != OURS, "model")
    return measured.groupBy("level").agg(F.min_by("model", order).alias("chosen"))


def _is_used() -> Column:
    return (F.col("model") == F.col("chosen")).alias("used")


def _forecaster(origins: Sequence[date], weeks: int, as_of: date) -> Callable[[pa.Table], pa.Table]:
    def forecast(table: pa.Table) -> pa.Table:
        by_day = table.sort_by("day")
        daily = by_day.column("units").to_numpy()
        first = by_day.column("day")[0].as_py()
        series = {name: table.column(name)[0].as_py() for name in SERIES}
        rows = [row for origin in origins for row in _rows(daily, first, origin, weeks, as_of)]
        return pa.Table.from_pylist([{**series, **row} for row in rows], ROW)

    return forecast


def _rows(daily: Numbers, first: date, origin: date, weeks: int, as_of: date) -> Iterator[dict[str, object]]:
    """The forecasts of one series from one origin. `daily` begins with the day `first` and has no gap."""
    known = max(0, (origin - first).days)
    if origin < as_of and known < LEAST_TRAINING_WEEKS * DAYS:
        return
    totals = weekly_totals(daily[:known])
    about = {"origin": origin, "level": level(totals), "naive_error": naive_error(totals)}
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
