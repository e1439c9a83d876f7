"""Placement by micro-clusters under a dendrogram that is cut, and the dendrogram itself."""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import cached_property
from typing import ClassVar

import numpy as np

from segspark.segments.geometry import squared_distances
from segspark.segments.linkage import cophenetic_correlation
from segspark.segments.placements.anchors import Anchors
from segspark.segments.placements.placed import Placed


@dataclass(frozen=True)
class CutTree:
    """The segment of the nearest micro-cluster."""

    anchors: Anchors
    weights: np.ndarray  # users of each anchor
    merges: np.ndarray  # as scipy's linkage: the two parts, their height, anchors in them; a row each, lowest first
    kind: ClassVar[str] = "cut tree"

    @property
    def segments(self) -> int:
        """As many as the cut left."""
        return self.anchors.segments

    @property
    def noise(self) -> int | None:
        """A dendrogram holds everyone."""
        return None

    @cached_property
    def centres(self) -> np.ndarray:
        """Mean of each segment's users, as the micro-clusters tell it."""
        labels, weights = self.anchors.labels, self.weights
        sums = [np.bincount(labels, weights=weights * column) for column in self.anchors.points.T]
        return np.column_stack(sums) / np.bincount(labels, weights=weights)[:, None]

    @cached_property
    def cophenetic(self) -> float:
        """How well the dendrogram keeps the distances between users."""
        return cophenetic_correlation(self.anchors.points, self.weights, self.merges)

    def place(self, points: np.ndarray) -> Placed:
        """Distance is to the segment's mean, cost its square (as in Ward's method), confidence as Anchors."""
        placed = self.anchors.place(points)
        squares = squared_distances(points, self.centres)[placed.number, np.arange(len(points))]
        return Placed(placed.number, np.sqrt(squares), placed.confidence, squares)

    def reordered(self, order: np.ndarray) -> CutTree:
        """The segments in another order."""
        return replace(self, anchors=self.anchors.reordered(order))

    def arrays(self) -> dict[str, np.ndarray]:
        """The anchors, their labels and users, and the merges."""
        anchors = {"points": self.anchors.points, "labels": self.anchors.labels}
        return {**anchors, "weights": self.weights, "merges": self.merges}

    @classmethod
    def restored(cls, arrays: dict[str, np.ndarray]) -> CutTree:
        """From its arrays."""
        anchors = Anchors(arrays["points"], arrays["labels"].astype(np.int64))
        return cls(anchors, arrays["weights"], arrays["merges"])
