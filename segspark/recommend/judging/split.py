"""What is held out, and what counts as a hit in it."""

from __future__ import annotations

from datetime import date, timedelta
from typing import TYPE_CHECKING

from pyspark.sql import Column, DataFrame, Window
from pyspark.sql import functions as F

from segspark.recommend.interactions import BOUGHT

if TYPE_CHECKING:
    from segspark.recommend.config import EvaluationConfig

DRAWS = 1_000_000  # a share is kept to so many parts


def split_day(as_of: date, first_day: date, config: EvaluationConfig) -> date:
    """The first day that is held out: test_days before as_of, or the last test_share of the days since first_day."""
    if config.test_share is None:
        return as_of - timedelta(days=config.test_days)
    return as_of - timedelta(days=max(1, round((as_of - first_day).days * config.test_share)))


def mark_held_out(pairs: DataFrame, config: EvaluationConfig, seed: int) -> DataFrame:
    """The same rows (user_id, item_id, last_at, …) with `held_out`, for the splits `last` and `random`.

    A pair is held out whole, with all its acts, so that nothing of it is in the train part. But others' later acts are,
    and with `random` the user's own: only the split by time shows what was known on a day.
    """
    if config.split == "last":
        return _mark_last(pairs, config)
    assert config.test_share is not None
    return pairs.withColumn("held_out", is_drawn(config.test_share, "user_id", "item_id", seed=seed))


def is_drawn(share: float, *columns: str, seed: int) -> Column:
    """Whether a hash of the columns and the seed falls into the share."""
    return F.pmod(F.xxhash64(*columns, F.lit(seed)), F.lit(DRAWS)) < F.lit(round(DRAWS * share))


def _mark_last(pairs: DataFrame, config: EvaluationConfig) -> DataFrame:
    """Each user's last pairs by last_at; of those of one time the later by item_id. Every user keeps one pair."""
    whole = Window.partitionBy("user_id")
    newest_first = whole.orderBy(F.desc("last_at"), F.desc("item_id"))
    count = F.count(F.lit(1)).over(whole)
    wanted = F.lit(config.last_items)
    if config.test_share is not None:
        wanted = F.greatest(F.lit(1), F.round(count * config.test_share).cast("int"))
    is_last = F.row_number().over(newest_first) <= F.least(wanted, count - 1)
    return pairs.withColumn("held_out", is_last)


def relevant_pairs(tested: DataFrame, train: DataFrame, relevant: str, leave_out: int | None) -> DataFrame:
    """user_no and item_no of what users did in the held-out part and the lists could have known.

    `tested` and `train` have user_no, item_no and action, and `tested` only users and items with a train number. With
    `relevant` bought, only what was bought. Pairs that the lists leave out (train action from `leave_out` on) are no
    hits.
    """
    hits = tested.where(F.col("action") >= (BOUGHT if relevant == "bought" else 1)).select("user_no", "item_no")
    if leave_out is None:
        return hits
    left_out = train.where(F.col("action") >= leave_out).select("user_no", "item_no")
    return hits.join(left_out, on=["user_no", "item_no"], how="left_anti")


def sample_users(pairs: DataFrame, users: int, most: int, seed: int) -> DataFrame:
    """The pairs of about `most` of the `users`, chosen by a hash of the number and the seed; all if no more.

    Of two samples of the same pairs the smaller lies in the larger.
    """
    if users <= most:
        return pairs
    return pairs.where(is_drawn(most / users, "user_no", seed=seed))
