"""Hierarchical clustering by Ward's method or mean distance, on micro-clusters at any number of users."""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal

import numpy as np
from scipy.spatial.distance import pdist, squareform

from segspark.segments.linkage import average_linkage, cut, ward_linkage
from segspark.segments.methods.method import Everyone, Method, Params
from segspark.segments.micro import MicroClusters, micro_clusters, micro_clusters_of_everyone
from segspark.segments.placement import Placement
from segspark.segments.placements.anchors import Anchors
from segspark.segments.placements.tree import CutTree

if TYPE_CHECKING:
    from segspark.segments.config import SchemeConfig


class Hierarchical(Method):
    """One dendrogram, cut for each number of segments."""

    def __init__(self, linkage: Literal["ward", "average"]) -> None:
        self._linkage = linkage

    def candidates(self, config: SchemeConfig, points: np.ndarray) -> list[Params]:
        """Every number of segments that is configured."""
        return [{"k": k} for k in config.numbers]

    def fit(self, points: np.ndarray, params: Params, config: SchemeConfig, seed: int) -> Placement:
        """One cut of the dendrogram."""
        return self.fit_all(points, [params], config, seed)[0]

    def fit_all(self, points: np.ndarray, tried: list[Params], config: SchemeConfig, seed: int) -> list[Placement]:
        """Every cut of one dendrogram."""
        micro = micro_clusters(points, config.micro_clusters, seed)
        merges = self.merges_of(micro)
        return [cut_tree(micro, merges, int(params["k"])) for params in tried]

    def fit_everyone(self, everyone: Everyone, params: Params, config: SchemeConfig, seed: int) -> dict[str, Placement]:
        """The same on micro-clusters that count everyone; none where the sample held everyone."""
        if everyone.users <= config.sample:
            return {}
        micro = micro_clusters_of_everyone(everyone, config, seed)
        return {micro.told: cut_tree(micro, self.merges_of(micro), int(params["k"]))}

    def merges_of(self, micro: MicroClusters) -> np.ndarray:
        """The dendrogram of the users, each at the place of its micro-cluster."""
        if self._linkage == "ward":
            return ward_linkage(micro.points, micro.weights)
        return average_linkage(squareform(pdist(micro.points)), micro.weights)


def cut_tree(micro: MicroClusters, merges: np.ndarray, clusters: int) -> CutTree:
    """The dendrogram cut where it has so many clusters."""
    return CutTree(Anchors(micro.points, cut(merges, clusters)), micro.weights, merges)
