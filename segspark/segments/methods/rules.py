"""Segments by rule: recency, frequency and money in fifths (Hughes 1994), and how active users are."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

import numpy as np

from segspark.segments.methods.method import Everyone, Method, Params
from segspark.segments.model import as_stored
from segspark.segments.placement import Placement
from segspark.segments.placements.rules import NUMBERS, ByRules
from segspark.segments.sample import sample_vectors

if TYPE_CHECKING:
    from segspark.segments.config import SchemeConfig

RFM = ("recency_days", "frequency", "monetary")
ACTIVITY = ("active_days",)
RAW_COLUMNS = {"rfm": RFM, "activity": ACTIVITY}  # of user_features, that each algorithm reads
FIFTHS = (0.2, 0.4, 0.6, 0.8)
ACTIVE = (0.4, 0.8)  # above the first quantile medium, above the second heavy

# A row per fifth of recency, the latest first; a column per fifth of frequency and monetary together, the least first.
GRID = (
    ("new customers", "potential loyalists", "potential loyalists", "champions", "champions"),
    ("promising", "potential loyalists", "potential loyalists", "loyal customers", "champions"),
    ("about to sleep", "about to sleep", "need attention", "loyal customers", "loyal customers"),
    ("hibernating", "hibernating", "at risk", "at risk", "at risk"),
    ("lost", "lost", "at risk", "cannot lose them", "cannot lose them"),
)


class ByRule(Method):
    """Thresholds at quantiles of the users, and a name for every combination. Nothing is learned but the quantiles."""

    def __init__(self, quantiles: tuple[float, ...], features: int, name: Callable[[tuple[int, ...]], str]) -> None:
        self._quantiles, self._features, self._name = quantiles, features, name

    def candidates(self, config: SchemeConfig, points: np.ndarray) -> list[Params]:
        """There is nothing to choose."""
        return [{}]

    def fit(self, points: np.ndarray, params: Params, config: SchemeConfig, seed: int) -> Placement:
        """Thresholds that are values of users, so that who has the same value is on the same side."""
        cuts = as_stored(np.quantile(points, self._quantiles, axis=0, method="inverted_cdf").T)
        levels = np.indices((len(self._quantiles) + 1,) * self._features).reshape(self._features, -1).T
        codes = np.array([NUMBERS[self._name(tuple(row))] for row in levels.tolist()])
        present, table = np.unique(codes, return_inverse=True)
        return ByRules(cuts, table.astype(np.int64), present)

    def fit_everyone(self, everyone: Everyone, params: Params, config: SchemeConfig, seed: int) -> dict[str, Placement]:
        """Quantiles of up to `fit_sample` users; none where the sample held everyone."""
        if everyone.users <= config.sample:
            return {}
        sample = sample_vectors(everyone.vectors, config.fit_sample, everyone.users, seed)
        return {f"sample of {len(sample.points)}": self.fit(sample.points, params, config, seed)}


def name_by_rfm(levels: tuple[int, ...]) -> str:
    """From levels 0 to 4 of recency_days, where 0 is the latest, and of frequency and monetary, whose mean counts."""
    recency, frequency, monetary = levels
    return GRID[recency][(frequency + monetary + 1) // 2]


def name_by_activity(levels: tuple[int, ...]) -> str:
    """From the level, 0 to 2, of active_days."""
    return ("light", "medium", "heavy")[levels[0]]


RULED: dict[str, Method] = {
    "rfm": ByRule(FIFTHS, len(RFM), name_by_rfm),
    "activity": ByRule(ACTIVE, len(ACTIVITY), name_by_activity),
}
