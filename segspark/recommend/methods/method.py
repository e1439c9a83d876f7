"""What a method is: what it is told, and what it answers with."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING

from pyspark.sql import DataFrame
from pyspark.sql import functions as F

from segspark.recommend.factors import Factors
from segspark.recommend.planner import Degrees, measure_degrees
from segspark.recommend.topn import LISTS, ListPlan

if TYPE_CHECKING:
    from segspark.recommend.config import RecommendConfig

Find = Callable[[str], DataFrame | None]


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
    near_items: Find = lambda measure: None  # NEIGHBOURS of all items by a measure, where they were found before
    near_users: Find = lambda measure: None  # the same of users

    @property
    def weighed(self) -> DataFrame:
        """The interactions with a weight."""
        return self.interactions.where("weight > 0")

    @cached_property
    def by_user(self) -> Degrees:
        """How many interactions with a weight each user has: counted at the first question."""
        return measure_degrees(self.weighed, "user_no", "item_no", self.users)

    @cached_property
    def by_item(self) -> Degrees:
        """The same of each item."""
        return measure_degrees(self.weighed, "item_no", "user_no", self.items)

    def own(self, wanted: DataFrame) -> DataFrame:
        """user_no, item_no and action of the interactions of the users who want a list."""
        of_wanted = self.interactions.join(wanted, on="user_no", how="left_semi")
        return of_wanted.select("user_no", "item_no", "action")


@dataclass(frozen=True)
class Settings:
    """How lists are made: `plan` says how long they are, what is left out and how large blocks are."""

    config: RecommendConfig
    plan: ListPlan
    seed: int
    closed: DataFrame | None = None  # item_no of what nobody may get; None: everything may be got
    categories: DataFrame | None = None  # item_no and category_no, for the plan's max_per_category
    tell: Callable[[str], None] = lambda message: None  # hears what each product will cost, before it runs

    def closed_of(self, frame: DataFrame) -> DataFrame:
        """The closed items; where there are none, no rows of `frame`, which has item_no."""
        return frame.select("item_no").limit(0) if self.closed is None else self.closed


@dataclass(frozen=True)
class Answer:
    """A method's lists and, where it scores by products, the factors that score every item: without them no auc."""

    lists: DataFrame  # as LISTS of topn: up to plan.top_n items a user
    factors: Factors | None = None


Method = Callable[[Train, DataFrame, Settings], Answer]  # the second are the users (user_no) who want a list


def columns_of_lists(lists: DataFrame) -> DataFrame:
    """The columns of LISTS, those that a method has no reason for as null."""
    kinds = [part.split() for part in LISTS.split(", ")]
    return lists.select(
        *(F.col(name) if name in lists.columns else F.lit(None).cast(kind).alias(name) for name, kind in kinds)
    )
