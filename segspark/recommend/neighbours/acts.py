"""Who is near whom, by numbered pairs of users and items and a method's name."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from pyspark.sql import DataFrame

from segspark.recommend.neighbours.measures import Measure
from segspark.recommend.similarity import nearest_rows
from segspark.recommend.sizes import similarity_block_rows

if TYPE_CHECKING:
    from segspark.recommend.config import RecommendConfig


@dataclass(frozen=True)
class Acts:
    """user_no, item_no and weight, each pair once; `users` and `items` are one more than the highest numbers."""

    triples: DataFrame
    users: int
    items: int
    pairs: int


def similar_items(acts: Acts, method: str, block_rows: int, config: RecommendConfig) -> DataFrame:
    """NEIGHBOURS of each item by cosine, adjusted_cosine or pearson."""
    sizes = (acts.items, acts.users, block_rows, config.neighbours)
    return nearest_rows(acts.triples, "item_no", "user_no", *sizes, _measure(method, config))


def similar_users(acts: Acts, method: str, block_rows: int, config: RecommendConfig) -> DataFrame:
    """NEIGHBOURS of each user by cosine, adjusted_cosine or pearson."""
    sizes = (acts.users, acts.items, block_rows, config.user_neighbours)
    return nearest_rows(acts.triples, "user_no", "item_no", *sizes, _measure(method, config))


def similar_contents(triples: DataFrame, items: int, features: int, cells: int, config: RecommendConfig) -> DataFrame:
    """NEIGHBOURS of each item by cosine of its features, as content_triples gives them; `cells` is their number."""
    height = similarity_block_rows(items, cells, config)
    return nearest_rows(triples, "item_no", "feature_no", items, features, height, config.neighbours)


def _measure(method: str, config: RecommendConfig) -> Measure:
    return Measure(method, config.shrinkage, config.min_overlap)
