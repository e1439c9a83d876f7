"""Where a user goes: what a fitted method leaves, small enough to travel to every executor. numpy and scipy only.

A user's numbers are the same to the last bit in whatever batch the user comes.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import ClassVar, Protocol

import numpy as np

from segspark.segments.placements.anchors import Anchors
from segspark.segments.placements.centres import NearestCentre, NearestDirection, NearestMedian
from segspark.segments.placements.mixture import LikeliestComponent
from segspark.segments.placements.panel import Panel
from segspark.segments.placements.placed import Placed
from segspark.segments.placements.rules import ByRules
from segspark.segments.placements.tree import CutTree

__all__ = ["KINDS", "NearestCentre", "Placed", "Placement", "restored"]


class Placement(Protocol):
    """A fitted method's way to place users. `arrays` and `kind` are all there is to keep of it."""

    kind: ClassVar[str]

    @property
    def segments(self) -> int:
        """How many segments there are, noise included."""

    @property
    def noise(self) -> int | None:
        """The position of the segment of those who belong to none; None where the method knows no noise."""

    def place(self, points: np.ndarray) -> Placed:
        """Each point's segment. Points are rows, in the prepared space."""

    def reordered(self, order: np.ndarray) -> Placement:
        """The same with segment `order[0]` at position 0, and so on."""

    def arrays(self) -> dict[str, np.ndarray]:
        """What it is made of, as matrices or vectors of doubles by name."""


Kind = Callable[[dict[str, np.ndarray]], Placement]
KINDS: dict[str, Kind] = {
    NearestCentre.kind: NearestCentre.restored,
    NearestMedian.kind: NearestMedian.restored,
    NearestDirection.kind: NearestDirection.restored,
    LikeliestComponent.kind: LikeliestComponent.restored,
    Anchors.kind: Anchors.restored,
    CutTree.kind: CutTree.restored,
    ByRules.kind: ByRules.restored,
    Panel.kind: lambda arrays: Panel.restored(arrays, restored),
}


def restored(kind: str, arrays: dict[str, np.ndarray]) -> Placement:
    """A placement from what was kept of it. KeyError for a kind that this version does not know."""
    return KINDS[kind](arrays)
