"""Methods as they are judged. One more is one more function with the signature of `Method`."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING

from pyspark.sql import Column, DataFrame
from pyspark.sql import functions as F

from segspark.recommend.factors import Factors
from segspark.recommend.interactions import MICRO, popularity
from segspark.recommend.topn import ListPlan, best_items

if TYPE_CHECKING:
    from segspark.recommend.config import RecommendConfig


@dataclass(frozen=True)
class Train:
    """What is known when lists are made. Numbers run from 0 without gaps."""

    interactions: DataFrame  # user_no, item_no, weight and action; acts of weight 0 are there to be left out
    factors: Factors  # of implicit ALS, fitted to the interactions with a weight
    user_index: DataFrame  # user_id, user_no
    item_index: DataFrame  # item_id, item_no
    users: int
    items: int
    pairs: int  # interactions with a weight

    @property
    def weighed(self) -> DataFrame:
        """The interactions with a weight."""
        return self.interactions.where("weight > 0")

    def own(self, judged_users: DataFrame) -> DataFrame:
        """user_no, item_no and action of the judged users' interactions."""
        of_judged = self.interactions.join(judged_users, on="user_no", how="left_semi")
        return of_judged.select("user_no", "item_no", "action")


@dataclass(frozen=True)
class Settings:
    """How lists are made: `plan` says how long they are, what is left out and how large blocks are."""

    config: RecommendConfig
    plan: ListPlan
    seed: int


@dataclass(frozen=True)
class Answer:
    """A method's lists and, where it scores by products, the factors that score every item: without them no auc."""

    lists: DataFrame  # user_no, rank from 1 and item_no, up to plan.top_n a user; other columns are not looked at
    factors: Factors | None = None


Method = Callable[[Train, DataFrame, Settings], Answer]  # the second are the users (user_no) who want a list


def by_als(train: Train, judged_users: DataFrame, settings: Settings) -> Answer:
    """Implicit ALS."""
    users = train.factors.users.join(judged_users, on="user_no", how="left_semi")
    return by_factors(Factors(users, train.factors.items), train, judged_users, settings)


def by_popularity(train: Train, judged_users: DataFrame, settings: Settings) -> Answer:
    """The items of the highest summed weight, the same for everybody up to what each leaves out."""
    items = popularity(train.weighed, "item_no").select("item_no", F.array("popularity").alias("factors"))
    users = judged_users.select("user_no", F.array(F.lit(1.0)).alias("factors"))
    return by_factors(Factors(users, items), train, judged_users, settings)


def by_segment(segments: DataFrame) -> Method:
    """The items of the highest summed weight among the user's segment, then those that only others took.

    `segments` is user_id and segment_id, each user once; who is in none gets what is popular with everybody. Its
    distinct segment ids are collected.
    """
    ids = sorted(row["segment_id"] for row in segments.select("segment_id").distinct().collect())

    def by_segment_popularity(train: Train, judged_users: DataFrame, settings: Settings) -> Answer:
        placed = segments.join(train.user_index, on="user_id", how="inner").select("user_no", "segment_id")
        weighed = train.weighed.join(placed, on="user_no", how="left")
        items = weighed.groupBy("item_no").agg(_popularity_vector(ids).alias("factors"))
        is_in = [F.when(F.col("segment_id") == each, 1.0).otherwise(0.0) for each in ids]
        is_in_none = F.when(F.col("segment_id").isNull(), 1.0).otherwise(0.0)
        users = judged_users.join(placed, on="user_no", how="left")
        users = users.select("user_no", F.array(*is_in, is_in_none).alias("factors"))
        return by_factors(Factors(users, items), train, judged_users, settings)

    return by_segment_popularity


def by_factors(factors: Factors, train: Train, judged_users: DataFrame, settings: Settings) -> Answer:
    """The lists of those who score by a product of vectors."""
    own = train.own(judged_users)
    return Answer(best_items(factors, own, own.select("item_no").limit(0), settings.plan), factors)


def _popularity_vector(segment_ids: list[int]) -> Column:
    """An item's score in each segment, and last for everybody.

    What nobody in the segment took scores below 0, in the order of what is popular with everybody.
    """
    micros = F.round(F.col("weight") * MICRO).cast("bigint")
    overall = F.sum(micros) / F.lit(float(MICRO))
    below = -MICRO / (1 + overall)
    inside = [F.sum(F.when(F.col("segment_id") == each, micros)) / F.lit(float(MICRO)) for each in segment_ids]
    return F.array(*(F.coalesce(each, below) for each in inside), overall)
