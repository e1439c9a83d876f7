"""Who is near whom, by numbered pairs of users and items and a method's name."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING

from pyspark.sql import DataFrame
from pyspark.sql import functions as F

from segspark.core.checkpoints import checkpointed
from segspark.recommend.degrees import Degrees, Side, measure
from segspark.recommend.neighbours.content import content_triples
from segspark.recommend.neighbours.measures import Measure
from segspark.recommend.planner import plan_similarity
from segspark.recommend.similarity import nearest_rows

if TYPE_CHECKING:
    from segspark.recommend.config import RecommendConfig

Tell = Callable[[str], None]


@dataclass(frozen=True)
class Acts:
    """user_no, item_no and weight, each pair once; `users` and `items` are one more than the highest numbers."""

    triples: DataFrame
    users: int
    items: int
    pairs: int

    def degrees(self) -> list[Degrees]:
        """How many pairs each item and each user has."""
        by_item = Side(self.triples, "item_no", "user_no", self.items)
        return measure(by_item, Side(self.triples, "user_no", "item_no", self.users))


def similar_items(acts: Acts, method: str, block_rows: int, config: RecommendConfig) -> DataFrame:
    """NEIGHBOURS of each item by cosine, adjusted_cosine or pearson."""
    sizes = (acts.items, acts.users, block_rows, config.neighbours)
    return nearest_rows(acts.triples, "item_no", "user_no", *sizes, _measure(method, config))


def similar_users(acts: Acts, method: str, block_rows: int, config: RecommendConfig) -> DataFrame:
    """NEIGHBOURS of each user by cosine, adjusted_cosine or pearson."""
    sizes = (acts.users, acts.items, block_rows, config.user_neighbours)
    return nearest_rows(acts.triples, "user_no", "item_no", *sizes, _measure(method, config))


def similar_contents(catalogue: DataFrame, items: int, config: RecommendConfig, tell: Tell) -> DataFrame:
    """NEIGHBOURS of each item by cosine of what it is; `catalogue` is as content_triples wants it.

    Plans the product and tells the plan. ConfigError where a task would not fit. Works through a checkpoint.
    """
    what = "content similarity"
    triples, highest = checkpointed(
        content_triples(catalogue, config.content_weights), {"feature": F.max("feature_no")}
    )
    features = 1 + (highest["feature"] or 0)
    sides = (Side(triples, "item_no", "feature_no", items), Side(triples, "feature_no", "item_no", features))
    of_items, of_features = measure(*sides)
    plan = plan_similarity(of_items, of_features, config.neighbours, config, what)
    tell(plan.told(what))
    return nearest_rows(triples, "item_no", "feature_no", items, features, plan.block_rows, config.neighbours)


def _measure(method: str, config: RecommendConfig) -> Measure:
    return Measure(method, config.shrinkage, config.min_overlap)
