"""What people did, by day and cut into parts: nothing on or after a day is ever in what was known on it."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from typing import TYPE_CHECKING

from pyspark.sql import DataFrame
from pyspark.sql import functions as F

from segspark.recommend.interactions import leave_out_bots, weigh_interactions
from segspark.recommend.judging.ratings import last_ratings
from segspark.recommend.judging.split import mark_held_out, split_day

if TYPE_CHECKING:
    from segspark.recommend.config import EvaluationConfig, RecommendConfig


@dataclass(frozen=True)
class Logs:
    """The run's logs, and whose acts do not count."""

    days: DataFrame  # as user_item_days
    ratings: DataFrame  # as ratings, up to the run's last file
    people: DataFrame  # user_id and is_bot, as of the run
    as_of: date
    seed: int

    def interactions(self, config: RecommendConfig, as_of: date, since: date | None = None) -> DataFrame:
        """user_id, item_id, weight, action and last_at from `since` (the beginning) up to `as_of`, without bots."""
        days, ratings = _before(self.days, as_of), _before(self.ratings, as_of)
        if since is not None:
            days, ratings = days.where(F.col("day") >= F.lit(since)), ratings.where(F.col("day") >= F.lit(since))
        return leave_out_bots(weigh_interactions(days, ratings, config, as_of), self.people)

    def rated(self, as_of: date) -> DataFrame:
        """Ratings before `as_of`, without bots'."""
        return leave_out_bots(_before(self.ratings, as_of), self.people)

    def parts(self, config: RecommendConfig, as_of: date) -> list[DataFrame]:
        """The train part and the held-out part of the interactions, and of the ratings: with the last of each pair."""
        ratings = self.rated(as_of)
        if config.evaluation.split != "time":
            pairs = (self.interactions(config, as_of), last_ratings(ratings, None, as_of))
            return [part for each in pairs for part in _drawn_parts(each, config.evaluation, self.seed)]
        day = self.split_day(config, as_of)
        past, held_out = self.interactions(config, day), self.interactions(config, as_of, since=day)
        return [past, held_out, last_ratings(ratings, None, day), last_ratings(ratings, day, as_of)]

    def validation(self, config: RecommendConfig, past: DataFrame) -> list[DataFrame]:
        """Two parts of what was known at the split: what is learnt on them has not seen what it is judged by."""
        if config.evaluation.split == "time":
            return self.parts(config, self.split_day(config, self.as_of))[:2]
        return _drawn_parts(past, config.evaluation, self.seed + 1)

    def tuning_parts(self, config: RecommendConfig) -> list[DataFrame]:
        """As `parts`, inside of what was known at the split of the stage evaluate."""
        evaluation = config.evaluation
        if evaluation.split == "time":
            inner = evaluation.model_copy(update={"test_days": config.tuning.days, "test_share": None})
            earlier = config.model_copy(update={"evaluation": inner})
            return self.parts(earlier, self.split_day(config, self.as_of))
        past, _, ratings, _ = self.parts(config, self.as_of)
        return [*self.validation(config, past), *self.validation(config, ratings)]

    def split_day(self, config: RecommendConfig, as_of: date) -> date:
        """The first day that is held out by split time; as_of for the other splits."""
        if config.evaluation.split != "time":
            return as_of
        first_day = as_of if config.evaluation.test_share is None else self.first_day()
        return split_day(as_of, first_day, config.evaluation)

    def first_day(self) -> date:
        """The first day with any act; as_of where there is none."""
        days = [_before(frame, self.as_of).select("day") for frame in (self.days, self.ratings)]
        row = days[0].unionByName(days[1]).agg(F.min("day")).first()
        return row[0] if row and row[0] else self.as_of


def _drawn_parts(pairs: DataFrame, config: EvaluationConfig, seed: int) -> list[DataFrame]:
    marked = mark_held_out(pairs, config, seed).checkpoint()
    return [marked.where(part).drop("held_out") for part in ("NOT held_out", "held_out")]


def _before(frame: DataFrame, as_of: date) -> DataFrame:
    return frame.where(F.col("day") < F.lit(as_of))
