"""K-medians: Manhattan distance to the nearest of k centres, each the coordinates' medians (Bradley et al. 1997)."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
from threadpoolctl import threadpool_limits

from segspark.segments.geometry import manhattan_distances
from segspark.segments.methods.lloyd import Alternation, best_centres
from segspark.segments.methods.method import Everyone, Method, Params
from segspark.segments.model import as_stored
from segspark.segments.placement import Placement
from segspark.segments.placements.centres import NearestMedian
from segspark.segments.sample import sample_vectors

if TYPE_CHECKING:
    from segspark.segments.config import SchemeConfig


def median_of(points: np.ndarray) -> np.ndarray:
    """The coordinates' medians, which make the summed Manhattan distance least."""
    return np.asarray(np.median(points, axis=0))


MEDIANS = Alternation(manhattan_distances, median_of)


class KMedians(Method):
    """Starts at users, then medians. A far user moves a median less than a mean."""

    def candidates(self, config: SchemeConfig, points: np.ndarray) -> list[Params]:
        """Every number of segments that is configured."""
        return [{"k": k} for k in config.numbers]

    def fit(self, points: np.ndarray, params: Params, config: SchemeConfig, seed: int) -> Placement:
        """The best of several starts."""
        return NearestMedian(as_stored(best_centres(points, int(params["k"]), MEDIANS, config, seed)))

    def fit_everyone(self, everyone: Everyone, params: Params, config: SchemeConfig, seed: int) -> dict[str, Placement]:
        """The same on up to `fit_sample` users, on the driver: a median needs its users sorted, and MLlib has none."""
        sample = sample_vectors(everyone.vectors, config.fit_sample, everyone.users, seed)
        with threadpool_limits(limits=1):
            return {f"sample of {len(sample.points)}": self.fit(sample.points, params, config, seed)}
