"""Dense places of any density (HDBSCAN; Campello, Moulavi and Sander 2013) on a bounded number of users."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
from sklearn.cluster import HDBSCAN
from threadpoolctl import threadpool_limits

from segspark.segments.methods.dbscan import labelled
from segspark.segments.methods.method import Everyone, Method, Params
from segspark.segments.placement import Placement
from segspark.segments.placements.anchors import Anchors
from segspark.segments.sample import sample_vectors

if TYPE_CHECKING:
    from segspark.segments.config import SchemeConfig

VOTES = 5  # nearest users of the fit who say where another user belongs
LARGER = (1.0, 2.0, 4.0)  # times min_share: the least segments that are tried
TRIED = 4_000  # users of a fit that is one of many to choose among


class Hdbscan(Method):
    """Segments that last over many densities; the rest is noise, a segment of its own.

    Its tree takes no weights: it is fitted to users, not to micro-clusters. `least` is a segment's least share.
    """

    def candidates(self, config: SchemeConfig, points: np.ndarray) -> list[Params]:
        """A few least shares of a segment."""
        return [{"least": float(f"{times * max(config.min_share, 0.005):.6g}")} for times in LARGER]

    def fit(self, points: np.ndarray, params: Params, config: SchemeConfig, seed: int) -> Placement:
        """scikit-learn's, on up to TRIED of the points."""
        if len(points) > TRIED:
            chosen = np.random.default_rng(seed).choice(len(points), TRIED, replace=False)
            points = points[np.sort(chosen)]
        return lasting_places(points, params, config)

    def fit_everyone(self, everyone: Everyone, params: Params, config: SchemeConfig, seed: int) -> dict[str, Placement]:
        """scikit-learn's on up to `density_sample` users chosen by hash; none where the candidate had them all."""
        size = min(config.density_sample, everyone.users)
        if size <= min(TRIED, config.sample):
            return {}
        sample = sample_vectors(everyone.vectors, size, everyone.users, seed)
        with threadpool_limits(limits=1):
            return {f"sample of {len(sample.points)}": lasting_places(sample.points, params, config)}


def lasting_places(points: np.ndarray, params: Params, config: SchemeConfig) -> Anchors:
    """A user goes where most of the nearest five do."""
    least = max(2, round(params["least"] * len(points)))
    neighbours = min(config.min_points, len(points))
    model = HDBSCAN(min_cluster_size=least, min_samples=neighbours, n_jobs=1, copy=True)
    labels = model.fit(points).labels_
    return labelled(points, labels, np.ones(len(points)), 0.0, VOTES)
