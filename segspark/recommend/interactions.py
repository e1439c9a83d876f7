"""Days of acts become one weight per user and item."""

from __future__ import annotations

from datetime import date
from typing import TYPE_CHECKING

from pyspark.sql import Column, DataFrame
from pyspark.sql import functions as F

if TYPE_CHECKING:
    from segspark.recommend.config import EventWeights, RecommendConfig

MICRO = 1_000_000  # weights are summed as whole millionths, so that the order of the rows does not matter
RATED, VIEWED, WISHED, CARTED, BOUGHT = 1, 2, 3, 4, 5  # the strongest act of a user on an item


def weigh_interactions(days: DataFrame, ratings: DataFrame, config: RecommendConfig, as_of: date) -> DataFrame:
    """One row per user and item acted on before `as_of`: user_id, item_id, weight, action, last_at.

    `days` has the columns of user_item_days, `ratings` those of ratings. `weight` is the sum of the event weights, each
    halved for every half-life between its day and `as_of`, in whole millionths; `action` is the strongest act;
    `last_at` is when the last act was, as far as that is known: a rating's time, the start of the day of other acts.
    """
    acts = _acts_before(days, ratings, config, as_of)
    return acts.groupBy("user_id", "item_id").agg(
        _weight(_micros(config, as_of)).alias("weight"),
        F.max("action").alias("action"),
        F.max("acted_at").alias("last_at"),
    )


def weigh_parts(days: DataFrame, ratings: DataFrame, config: RecommendConfig, split: date, as_of: date) -> DataFrame:
    """The same of what was known on the day `split`, beside what followed: one row per user and item of either part.

    user_id and item_id; `weight` and `action` of the acts before `split`, weighed as of it, null where there was none;
    `tested`, the strongest act from `split` on and before `as_of`, null where there was none.
    """
    acts, was_known = _acts_before(days, ratings, config, as_of), F.col("day") < F.lit(split)
    return acts.groupBy("user_id", "item_id").agg(
        _weight(F.when(was_known, _micros(config, split))).alias("weight"),
        F.max(F.when(was_known, F.col("action"))).alias("action"),
        F.max(F.when(~was_known, F.col("action"))).alias("tested"),
    )


def leave_out_bots(interactions: DataFrame, user_features: DataFrame) -> DataFrame:
    """The interactions of users that `user_features` does not call bots."""
    bots = user_features.where("is_bot").select("user_id")
    return interactions.join(bots, on="user_id", how="left_anti")


def with_numbers(interactions: DataFrame, user_index: DataFrame, item_index: DataFrame) -> DataFrame:
    """The interactions whose user and item both have a number, with user_no and item_no in place of the ids."""
    numbered = interactions.join(user_index, on="user_id", how="inner")
    numbered = numbered.join(item_index, on="item_id", how="inner")
    values = [name for name in interactions.columns if name not in ("user_id", "item_id")]
    return numbered.select("user_no", "item_no", *values)


def popularity(interactions: DataFrame, *keys: str) -> DataFrame:
    """The keys and `popularity`, the sum of their weights."""
    micros = F.round(F.col("weight") * MICRO).cast("bigint")
    return interactions.groupBy(*keys).agg((F.sum(micros) / F.lit(float(MICRO))).alias("popularity"))


def _acts_before(days: DataFrame, ratings: DataFrame, config: RecommendConfig, as_of: date) -> DataFrame:
    """user_id, item_id, day, acted_at, weight and action of each act of a known user on a known item."""
    acts = _day_acts(days, config.event_weights).unionByName(_rating_acts(ratings, config.event_weights))
    is_known = F.col("user_id").isNotNull() & F.col("item_id").isNotNull() & (F.col("day") < F.lit(as_of))
    return acts.where(is_known & (F.col("action") > 0))


def _micros(config: RecommendConfig, as_of: date) -> Column:
    return F.round(F.col("weight") * _decay(config.half_life_days, as_of) * MICRO).cast("bigint")


def _weight(micros: Column) -> Column:
    return F.sum(micros) / F.lit(float(MICRO))


def _day_acts(days: DataFrame, weights: EventWeights) -> DataFrame:
    bought = F.greatest("purchases", "order_lines")  # the event and the line of one purchase are one act
    weight = (
        F.col("views") * weights.view
        + F.col("clicks") * weights.click
        + F.col("carts") * weights.add_to_cart
        + F.col("wishlists") * weights.wishlist
        + bought * weights.purchase
    )
    action = (
        F.when(bought > 0, BOUGHT)
        .when(F.col("carts") > 0, CARTED)
        .when(F.col("wishlists") > 0, WISHED)
        .when((F.col("views") > 0) | (F.col("clicks") > 0), VIEWED)
        .otherwise(0)
    )
    acted_at = F.col("day").cast("timestamp").alias("acted_at")
    return days.select("user_id", "item_id", "day", acted_at, weight.alias("weight"), action.alias("action"))


def _rating_acts(ratings: DataFrame, weights: EventWeights) -> DataFrame:
    rated = (F.lit(weights.rating).alias("weight"), F.lit(RATED).alias("action"))
    acted_at = F.col("rated_at").alias("acted_at")
    return ratings.select("user_id", "item_id", F.to_date("rated_at").alias("day"), acted_at, *rated)


def _decay(half_life_days: float | None, as_of: date) -> Column:
    if half_life_days is None:
        return F.lit(1.0)
    age_days = F.datediff(F.lit(as_of), F.col("day"))
    return F.pow(F.lit(0.5), age_days / F.lit(half_life_days))
