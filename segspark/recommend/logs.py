"""What people did, by day and cut into parts: nothing on or after a day is ever in what was known on it."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from typing import TYPE_CHECKING

from pyspark.sql import DataFrame
from pyspark.sql import functions as F

from segspark.recommend.interactions import leave_out_bots, weigh_interactions, weigh_parts
from segspark.recommend.judging.ratings import last_ratings, last_ratings_of_parts
from segspark.recommend.judging.split import Parts, mark_held_out, split_day

if TYPE_CHECKING:
    from segspark.recommend.config import RecommendConfig


@dataclass(frozen=True)
class Logs:
    """The run's logs, and whose acts do not count."""

    days: DataFrame  # as user_item_days
    ratings: DataFrame  # as ratings, up to the run's last file
    people: DataFrame  # user_id and is_bot, as of the run
    as_of: date
    seed: int

    def interactions(self, config: RecommendConfig, as_of: date) -> DataFrame:
        """user_id, item_id, weight, action and last_at before `as_of`, without bots."""
        days, ratings = (_before(frame, as_of) for frame in (self.days, self.ratings))
        return leave_out_bots(weigh_interactions(days, ratings, config, as_of), self.people)

    def last_ratings(self, as_of: date) -> DataFrame:
        """user_id, item_id, weight (the last rating before `as_of`) and last_at, without bots."""
        return leave_out_bots(last_ratings(_before(self.ratings, as_of), as_of), self.people)

    def parts(self, config: RecommendConfig, as_of: date) -> Parts:
        """What was known and what is held out of what was there before `as_of`, without bots."""
        if config.evaluation.split != "time":
            pairs = (self.interactions(config, as_of), self.last_ratings(as_of))
            acts, ratings = (mark_held_out(each, config.evaluation, self.seed) for each in pairs)
            return Parts(_apart(acts, "action"), _apart(ratings, "weight"))
        day = self.split_day(config, as_of)
        days, ratings = (_before(frame, as_of) for frame in (self.days, self.ratings))
        acts = weigh_parts(days, ratings, config, day, as_of)
        rated = last_ratings_of_parts(ratings, day, as_of)
        return Parts(leave_out_bots(acts, self.people), leave_out_bots(rated, self.people))

    def validation(self, config: RecommendConfig, parts: Parts) -> Parts:
        """Two parts of what was known at the split: what is learnt on them has not seen what it is judged by."""
        if config.evaluation.split == "time":
            return self.parts(config, self.split_day(config, self.as_of))
        acts = mark_held_out(parts.acts.where("action IS NOT NULL"), config.evaluation, self.seed + 1)
        ratings = mark_held_out(parts.ratings.where("weight IS NOT NULL"), config.evaluation, self.seed + 1)
        return Parts(_apart(acts, "action"), _apart(ratings, "weight"))

    def tuning_parts(self, config: RecommendConfig) -> Parts:
        """As `parts`, inside of what was known at the split of the stage evaluate."""
        evaluation = config.evaluation
        if evaluation.split == "time":
            inner = evaluation.model_copy(update={"test_days": config.tuning.days, "test_share": None})
            earlier = config.model_copy(update={"evaluation": inner})
            return self.parts(earlier, self.split_day(config, self.as_of))
        return self.validation(config, self.parts(config, self.as_of))

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


def _apart(marked: DataFrame, value: str) -> DataFrame:
    """Pairs marked `held_out` as a frame of Parts, of whose column `value` the held-out ones become `tested`."""
    tested = F.when(F.col("held_out"), F.col(value))
    known = {name: F.when(~F.col("held_out"), F.col(name)) for name in {value, "weight"}}
    return marked.withColumns({**known, "tested": tested}).drop("held_out")


def _before(frame: DataFrame, as_of: date) -> DataFrame:
    return frame.where(F.col("day") < F.lit(as_of))
