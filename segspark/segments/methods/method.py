"""What a method is: candidates, a fit on the driver's sample, and a fit for everyone."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Protocol

import numpy as np

from segspark.segments.placement import Placement

if TYPE_CHECKING:
    from pyspark.sql import DataFrame

    from segspark.segments.config import SchemeConfig

Params = dict[str, float | int]


@dataclass(frozen=True)
class Everyone:
    """All users' vectors (user_id, features), how many they are, and how many users have none where that is told."""

    vectors: DataFrame
    users: int
    outside: int = 0


class Method(Protocol):
    """One algorithm, which inherits from this.

    Everything drawn comes from `seed`; results do not depend on partitions or cores.
    """

    def candidates(self, config: SchemeConfig, points: np.ndarray) -> list[Params]:
        """The parameters to try, given the sample's points (users x features).

        `k` is among them where the method is told how many segments to make.
        """

    def fit(self, points: np.ndarray, params: Params, config: SchemeConfig, seed: int) -> Placement:
        """Fitted on the driver, to a bounded sample (users x features, doubles), on one thread."""

    def fit_all(self, points: np.ndarray, tried: list[Params], config: SchemeConfig, seed: int) -> list[Placement]:
        """One fit per entry of `tried`, to the same points; a method whose fits share work does it once."""
        return [self.fit(points, params, config, seed) for params in tried]

    def fit_everyone(self, everyone: Everyone, params: Params, config: SchemeConfig, seed: int) -> dict[str, Placement]:
        """Further placements fitted to all users, by where they come from; empty where the sample's is final.

        The one that costs everyone least wins, the chosen candidate's own among them.
        """
