"""What a method is: what it is told, and what it answers with."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING

from pyspark.sql import DataFrame
from pyspark.sql import functions as F

from segspark.recommend.degrees import Degrees, Side, measure
from segspark.recommend.topn import LISTS, ListPlan, best_items
from segspark.recommend.vectors import Factors

if TYPE_CHECKING:
    from segspark.recommend.config import RecommendConfig

Find = Callable[[str], DataFrame | None]
Wanted = DataFrame | None  # the users (user_no) who want a list; None: everybody who has a number


@dataclass(frozen=True)
class Train:
    """What is known when lists are made. Numbers run from 0 without gaps."""

    acts: DataFrame  # user_no, item_no, weight and action; where a part is held out also what is `tested`, as in Parts
    factors: Factors  # of implicit ALS, fitted to the interactions with a weight
    user_index: DataFrame  # user_id, user_no
    item_index: DataFrame  # item_id, item_no
    users: int
    items: int
    pairs: int  # interactions with a weight
    near_items: Find = lambda measure: None  # NEIGHBOURS of all items by a measure, where they were found before
    near_users: Find = lambda measure: None  # the same of users

    @property
    def interactions(self) -> DataFrame:
        """What was known; acts of weight 0 are there to be left out."""
        return self.acts.where("action IS NOT NULL").select("user_no", "item_no", "weight", "action")

    @property
    def weighed(self) -> DataFrame:
        """The interactions with a weight."""
        return self.interactions.where("weight > 0")

    @cached_property
    def degrees(self) -> tuple[Degrees, Degrees]:
        """How many interactions with a weight each user and each item has: counted at the first question."""
        by_user = Side(self.weighed, "user_no", "item_no", self.users)
        by_item = Side(self.weighed, "item_no", "user_no", self.items)
        of_users, of_items = measure(by_user, by_item)
        return of_users, of_items

    @property
    def by_user(self) -> Degrees:
        """Of `degrees` the users'."""
        return self.degrees[0]

    @property
    def by_item(self) -> Degrees:
        """Of `degrees` the items'."""
        return self.degrees[1]

    def users_of(self, wanted: Wanted) -> DataFrame:
        """user_no of the users who want a list."""
        return self.user_index.select("user_no") if wanted is None else wanted

    def own(self, wanted: Wanted) -> DataFrame:
        """user_no, item_no and action of the interactions of the users who want a list."""
        return of_wanted(self.interactions, wanted).select("user_no", "item_no", "action")


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
    """What a method says of the users who want a list: vectors whose products score every item, or else lists."""

    lists: DataFrame | None = None  # as LISTS of topn: up to plan.top_n items a user
    factors: Factors | None = None  # without them no auc


Method = Callable[[Train, Wanted, Settings], Answer]


def of_wanted(frame: DataFrame, wanted: Wanted, column: str = "user_no") -> DataFrame:
    """The rows of users who want a list; `column` has their numbers."""
    if wanted is None:
        return frame
    return frame.join(wanted.select(F.col("user_no").alias(column)), on=column, how="left_semi")


def listed(method: Method, train: Train, wanted: Wanted, settings: Settings) -> DataFrame:
    """The method's lists, as LISTS of topn; made from its vectors where it scores by these."""
    answer = method(train, wanted, settings)
    if answer.factors is None:
        assert answer.lists is not None
        return answer.lists
    own = train.own(wanted)
    return best_items(answer.factors, own, settings.closed_of(own), settings.plan, settings.categories)


def columns_of_lists(lists: DataFrame) -> DataFrame:
    """The columns of LISTS, those that a method has no reason for as null."""
    kinds = [part.split() for part in LISTS.split(", ")]
    return lists.select(
        *(F.col(name) if name in lists.columns else F.lit(None).cast(kind).alias(name) for name, kind in kinds)
    )
