"""What the room's stages work on, from the tables of one run."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from pyspark.sql import DataFrame
from pyspark.sql import functions as F

from segspark.core.checkpoints import cut_off
from segspark.core.contract import Contract
from segspark.core.contracts import (
    ITEM_FACTORS,
    ITEM_INDEX,
    ITEM_SIMILARITY,
    ITEMS,
    RATINGS,
    USER_FACTORS,
    USER_FEATURES,
    USER_INDEX,
    USER_ITEM_DAYS,
    USER_SEGMENTS,
    USER_SIMILARITY,
)
from segspark.core.stage import Run
from segspark.recommend.categories import item_categories
from segspark.recommend.config import RecommendConfig
from segspark.recommend.interactions import with_numbers
from segspark.recommend.logs import Logs
from segspark.recommend.methods.method import Find, Train
from segspark.recommend.neighbours.names import numbered_items, numbered_users
from segspark.recommend.popular import CategoryCap
from segspark.recommend.vectors import Factors

SCHEME = "value"  # the segments whose popular items stand in for users without a vector


@dataclass(frozen=True)
class Reader:
    """Reads the tables that a stage needs, in the shapes of this room."""

    read: Callable[[Contract], DataFrame]  # a table's rows; of a run table, this run's
    run: Run

    def logs(self) -> Logs:
        """What people did, and whose acts do not count."""
        ratings = self.read(RATINGS).where(F.col("ingest_seq") <= self.run.ingest_seq)
        return Logs(self.read(USER_ITEM_DAYS), ratings, self.people(), self.run.as_of, self.run.seed)

    def people(self) -> DataFrame:
        """user_id and is_bot."""
        return self.read(USER_FEATURES).select("user_id", "is_bot")

    def index(self) -> tuple[DataFrame, DataFrame]:
        """The users (user_id, user_no) and items (item_id, item_no) that have a number."""
        return self.read(USER_INDEX), self.read(ITEM_INDEX)

    def user_vectors(self) -> DataFrame:
        """user_no and factors, beside the id."""
        return self.read(USER_FACTORS).join(self.read(USER_INDEX), on="user_id", how="inner")

    def train(self, acts: DataFrame, users: int, items: int, pairs: int) -> Train:
        """What the stages factors and similarity left, with all numbered interactions before as_of and their counts."""
        user_index, item_index = self.index()
        of_items = self.read(ITEM_FACTORS).join(item_index, on="item_id", how="inner")
        return Train(
            acts=acts,
            factors=Factors(self.user_vectors(), of_items),
            user_index=user_index,
            item_index=item_index,
            users=users,
            items=items,
            pairs=pairs,
            near_items=self._finder(ITEM_SIMILARITY, lambda rows: numbered_items(rows, item_index)),
            near_users=self._finder(USER_SIMILARITY, lambda rows: numbered_users(rows, user_index)),
        )

    def rated(self) -> DataFrame:
        """user_no, item_no and weight (the last rating) of numbered users and items."""
        return with_numbers(self.logs().last_ratings(self.run.as_of).drop("last_at"), *self.index())

    def catalogue(self, items: DataFrame | None = None) -> DataFrame:
        """The table items; with an index, of its items, with item_no."""
        catalogue = self.read(ITEMS)
        return catalogue if items is None else catalogue.join(items, on="item_id", how="inner")

    def closed(self) -> DataFrame:
        """item_id of what nobody may get: what is out of stock."""
        return self.read(ITEMS).where("stock <= 0").select("item_id")

    def segments(self) -> DataFrame:
        """user_id and segment_id, each user once."""
        return self.read(USER_SEGMENTS).where(F.col("scheme") == SCHEME).select("user_id", "segment_id")

    def category_cap(self, config: RecommendConfig) -> CategoryCap | None:
        """What lists may have of one category; None where they are not capped."""
        if config.max_per_category is None:
            return None
        categories = cut_off(item_categories(self.read(USER_ITEM_DAYS), self.read(ITEMS), self.run.as_of))
        return CategoryCap(categories, config.max_per_category)

    def _finder(self, contract: Contract, numbered: Callable[[DataFrame], DataFrame]) -> Find:
        """Finds the NEIGHBOURS by a measure as this run wrote them: its configuration is that of whoever asks."""

        def find(measure: str) -> DataFrame | None:
            rows = self.read(contract).where(F.col("method") == measure)
            return None if rows.isEmpty() else numbered(rows)

        return find
