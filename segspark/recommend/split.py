"""Which days are held out, and what counts as a hit in them."""

from __future__ import annotations

from datetime import date, timedelta
from typing import TYPE_CHECKING

from pyspark.sql import DataFrame
from pyspark.sql import functions as F

from segspark.recommend.interactions import BOUGHT

if TYPE_CHECKING:
    from segspark.recommend.config import EvaluationConfig


def split_day(as_of: date, first_day: date, config: EvaluationConfig) -> date:
    """The first day that is held out: test_days before as_of, or the last test_share of the days since first_day."""
    if config.test_share is None:
        return as_of - timedelta(days=config.test_days)
    return as_of - timedelta(days=max(1, round((as_of - first_day).days * config.test_share)))


def relevant_pairs(tested: DataFrame, train: DataFrame, relevant: str, leave_out: int | None) -> DataFrame:
    """user_no and item_no of what users did in the held-out days and the lists could have known.

    `tested` and `train` have user_no, item_no and action, and `tested` only users and items with a train number. With
    `relevant` bought, only what was bought. Pairs that the lists leave out (train action from `leave_out` on) are no
    hits.
    """
    hits = tested.where(F.col("action") >= (BOUGHT if relevant == "bought" else 1)).select("user_no", "item_no")
    if leave_out is None:
        return hits
    left_out = train.where(F.col("action") >= leave_out).select("user_no", "item_no")
    return hits.join(left_out, on=["user_no", "item_no"], how="left_anti")


def sample_users(pairs: DataFrame, users: int, max_users: int, seed: int) -> DataFrame:
    """The pairs of about `max_users` of the `users`, chosen by a hash of the number and the seed; all if no more."""
    if users <= max_users:
        return pairs
    draw = F.pmod(F.xxhash64("user_no", F.lit(seed)), F.lit(1_000_000))
    return pairs.where(draw < F.lit(1_000_000 * max_users // users))
