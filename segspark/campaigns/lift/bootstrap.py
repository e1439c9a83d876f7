"""Percentile bootstrap of the difference in revenue per user, on executors: numpy, pandas and scipy only."""

from __future__ import annotations

import hashlib
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd
from pyspark.sql import DataFrame
from pyspark.sql import functions as F
from scipy import stats

from segspark.campaigns.evidence import ALL

if TYPE_CHECKING:  # the configuration's library is not on every executor
    from segspark.campaigns.config import LiftConfig

KEY = ["campaign_id", "segment_name", "action"]
INTERVALS = "campaign_id string, segment_name string, action string, bootstrap_low double, bootstrap_high double"
AT_A_TIME = 2_000_000  # drawn values in memory


def bootstrap_revenue(responses: DataFrame, config: LiftConfig, seed: int) -> DataFrame:
    """One row per campaign_id, segment_name and action, `all` among both, with bootstrap_low and bootstrap_high.

    They are null where a side has fewer than two users, where nothing varies, or where a side has more than
    `bootstrap_users`: of these groups no user leaves Spark's own rows.
    """
    groups = _groups(responses)
    treated = F.count_if("treated")
    sizes = groups.groupBy(KEY).agg(treated.alias("treated"), (F.count(F.lit(1)) - treated).alias("held_out"))
    fits = (F.greatest("treated", "held_out") <= config.bootstrap_users) & (F.least("treated", "held_out") > 1)
    chosen = sizes.where(fits if config.bootstrap_samples else F.lit(False)).select(KEY)
    samples, level = config.bootstrap_samples, config.level

    def interval(key: tuple[str, str, str], group: pd.DataFrame) -> pd.DataFrame:
        return _interval(key, group, samples, level, seed)

    intervals = (
        groups.join(F.broadcast(chosen), on=KEY, how="left_semi").groupBy(KEY).applyInPandas(interval, INTERVALS)
    )
    return sizes.select(KEY).join(intervals, on=KEY, how="left")


def bootstrap_difference(
    treated: np.ndarray, control: np.ndarray, samples: int, level: float, seed: int
) -> tuple[float, float] | None:
    """The interval of mean(treated) - mean(control) by the percentiles of resamples; None where nothing varies."""
    if min(len(treated), len(control)) < 2 or not (np.ptp(treated) or np.ptp(control)):
        return None
    found = stats.bootstrap(
        (treated, control),
        _difference_of_means,
        n_resamples=samples,
        batch=max(1, AT_A_TIME // max(len(treated), len(control))),
        vectorized=True,
        confidence_level=1 - level,
        method="percentile",
        rng=np.random.default_rng(seed),
    ).confidence_interval
    return float(found.low), float(found.high)


def group_seed(campaign_id: str, segment_name: str, action: str, seed: int) -> int:
    """The same for the same group and seed on every machine."""
    text = "\x1f".join((campaign_id, segment_name, action, str(seed)))
    return int.from_bytes(hashlib.sha256(text.encode()).digest()[:8], "big")


def _groups(responses: DataFrame) -> DataFrame:
    """Each user once for the segment and action, once for each of both, once for all."""
    segments = F.explode(F.array("segment_name", F.lit(ALL))).alias("segment_name")
    actions = F.explode(F.array("action", F.lit(ALL))).alias("action")
    paid = F.coalesce("revenue", F.lit(0.0)).alias("revenue")
    by_segment = responses.select("campaign_id", "user_id", "treated", paid, "action", segments)
    return by_segment.select("campaign_id", "user_id", "treated", "revenue", "segment_name", actions)


def _interval(key: tuple[str, str, str], users: pd.DataFrame, samples: int, level: float, seed: int) -> pd.DataFrame:
    users = users.sort_values("user_id")  # so that no partitioning changes a draw
    is_treated = users["treated"].to_numpy(dtype=bool)
    paid = users["revenue"].to_numpy(dtype=float)
    found = bootstrap_difference(paid[is_treated], paid[~is_treated], samples, level, group_seed(*key, seed))
    low, high = found or (None, None)
    return pd.DataFrame([(*key, low, high)], columns=[*KEY, "bootstrap_low", "bootstrap_high"])


def _difference_of_means(treated: np.ndarray, control: np.ndarray, axis: int = -1) -> np.ndarray:
    return treated.mean(axis=axis) - control.mean(axis=axis)
