"""Users of one or more runs on the driver: a bounded sample, to which the preparation is fitted and drift measured."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import reduce
from typing import TYPE_CHECKING

import numpy as np
from pyspark.sql import DataFrame
from pyspark.sql import functions as F

if TYPE_CHECKING:
    import pandas as pd
    from pyspark.sql.types import StructType

PLACE = "__frame"  # the frame's place among those that are drawn from together


@dataclass(frozen=True)
class Sample:
    """Users of one frame by the hash of their id, bots left out: user_id and columns of user_features."""

    rows: pd.DataFrame
    schema: StructType
    is_everyone: bool  # whether no user but the bots is missing

    def numbers(self, names: Sequence[str]) -> np.ndarray:
        """Users by features, NaN where missing."""
        return self.rows[list(names)].to_numpy(dtype=float, na_value=np.nan)


def draw_users(frames: Sequence[DataFrame], columns: Sequence[str], users: int, seed: int) -> list[Sample]:
    """Up to `users` users of each frame, in one Spark execution."""
    drawn = [
        sample_users(frame, columns, users, seed).withColumn(PLACE, F.lit(place)) for place, frame in enumerate(frames)
    ]
    schema = drawn[0].drop(PLACE).schema
    rows: pd.DataFrame = reduce(DataFrame.unionByName, drawn).toPandas()
    parts = [rows[rows[PLACE] == place].drop(columns=PLACE).reset_index(drop=True) for place in range(len(frames))]
    return [Sample(part, schema, len(part) < users) for part in parts]


def sample_users(features: DataFrame, columns: Sequence[str], users: int, seed: int) -> DataFrame:
    """Up to that many users of user_features, bots left out, by the hash of their id: user_id and the columns."""
    by_hash = F.xxhash64(F.lit(seed), F.col("user_id"))
    people = features.where(~F.col("is_bot"))
    return people.orderBy(by_hash, "user_id").limit(users).select("user_id", *columns)
