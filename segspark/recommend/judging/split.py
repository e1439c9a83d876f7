"""What is held out, and what counts as a hit in it."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, timedelta
from typing import TYPE_CHECKING

from pyspark.sql import Column, DataFrame, Window
from pyspark.sql import functions as F

from segspark.recommend.interactions import BOUGHT

if TYPE_CHECKING:
    from segspark.recommend.config import EvaluationConfig

DRAWS = 1_000_000  # a share is kept to so many parts


@dataclass(frozen=True)
class Parts:
    """What was known and what is held out: pairs of a user and an item, each once, by user_id and item_id.

    `acts` has `weight` and `action` of what was known and `tested`, the strongest held-out act; `ratings` has `weight`,
    the last known rating, and `tested`, the last held-out one. Null stands for nothing.
    """

    acts: DataFrame
    ratings: DataFrame


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


def is_hit(relevant: str, leave_out: int | None) -> Column:
    """Whether a pair with `action` and `tested`, as in Parts, is something that lists could have known.

    With `relevant` bought, only what was bought in the held-out part. Pairs that the lists leave out (a known action
    from `leave_out` on) are no hits.
    """
    is_relevant = F.coalesce(F.col("tested") >= (BOUGHT if relevant == "bought" else 1), F.lit(False))
    if leave_out is None:
        return is_relevant
    return is_relevant & (F.coalesce("action", F.lit(0)) < leave_out)


def is_of_sample(users: int, most: int, seed: int) -> Column:
    """Whether the pair is of about `most` of the `users`, chosen by a hash of the number and the seed; all if no more.

    Of two samples of the same users the smaller lies in the larger.
    """
    return F.lit(True) if users <= most else is_drawn(most / users, "user_no", seed=seed)
