"""Placement by many labelled points: a segment may have any shape."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import ClassVar

import numpy as np

from segspark.segments.geometry import confidence
from segspark.segments.placements.placed import Placed, places_after
from segspark.segments.shortlist import Block, blocks, closest


@dataclass(frozen=True)
class Anchors:
    """The segment of the nearest anchor, or the most frequent among several; of equals the nearest decides."""

    points: np.ndarray  # one row per anchor
    labels: np.ndarray  # the segment of each
    outside: int = -1  # the position of noise; -1 where there is none
    votes: int = 1  # anchors asked
    kind: ClassVar[str] = "anchors"

    @property
    def segments(self) -> int:
        """As many as there are labels, noise included."""
        return int(self.labels.max()) + 1

    @property
    def noise(self) -> int | None:
        """The segment of those who lie in no dense place."""
        return None if self.outside < 0 else self.outside

    def place(self, points: np.ndarray) -> Placed:
        """Distance is to the nearest anchor of the segment, cost its square.

        Confidence is 1 - that distance / distance to the nearest anchor of another segment, 0 where the vote went
        against the nearest.
        """
        number = np.empty(len(points), np.int64)
        own, other = np.empty(len(points)), np.empty(len(points))
        for block in blocks(points, self.points):
            found = self._of_block(block)
            number[block.rows], own[block.rows], other[block.rows] = found
        return Placed(number, np.sqrt(own), np.maximum(confidence(own, other), 0.0), own)

    def reordered(self, order: np.ndarray) -> Anchors:
        """The segments in another order."""
        places = places_after(order)
        outside = -1 if self.outside < 0 else int(places[self.outside])
        return replace(self, labels=places[self.labels], outside=outside)

    def arrays(self) -> dict[str, np.ndarray]:
        """The anchors, their labels, where noise is and how many vote."""
        options = {"outside": np.array([self.outside]), "votes": np.array([self.votes])}
        return {"points": self.points, "labels": self.labels, **options}

    @classmethod
    def restored(cls, arrays: dict[str, np.ndarray]) -> Anchors:
        """From its arrays."""
        options = int(arrays["outside"][0]), int(arrays["votes"][0])
        return cls(arrays["points"], arrays["labels"].astype(np.int64), *options)

    def _of_block(self, block: Block) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        """Segment, and squared distances to its nearest anchor and to the nearest of another."""
        near, distance = closest(block, self.points, min(self.votes, len(self.points)))
        labels = self.labels[near]
        votes = (labels[:, :, None] == labels[:, None, :]).sum(axis=2)
        winner = votes.argmax(axis=1)
        everyone = np.arange(len(near))
        number = labels[everyone, winner]
        block.rough[self.labels[None, :] == number[:, None]] = np.inf
        return number, distance[everyone, winner], closest(block, self.points, 1)[1][:, 0]
