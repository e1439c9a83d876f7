"""Where a user goes: what a fitted method leaves, small enough to travel to every executor. numpy and scipy only.

A user's numbers are the same to the last bit in whatever batch the user comes.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar, NamedTuple, Protocol

import numpy as np

from segspark.segments.geometry import confidence, nearest


class Placed(NamedTuple):
    """One entry per point."""

    number: np.ndarray  # position of the segment, from 0
    distance: np.ndarray  # to the segment's centre, by the method's own measure
    confidence: np.ndarray  # from 0 on the border to 1
    cost: np.ndarray  # what the method makes small, so that fits of one method can be compared


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


@dataclass(frozen=True)
class NearestCentre:
    """The nearest centre by squared Euclidean distance; equal ones go to the lower position. K-Means and its kin."""

    centres: np.ndarray  # one row per segment
    kind: ClassVar[str] = "nearest centre"

    @property
    def segments(self) -> int:
        """One per centre."""
        return len(self.centres)

    @property
    def noise(self) -> int | None:
        """Everyone has a nearest centre."""
        return None

    def place(self, points: np.ndarray) -> Placed:
        """Distance is Euclidean, confidence 1 - distance / distance to the next nearest, cost the squared distance."""
        found = nearest(points, self.centres)
        return Placed(found.label, np.sqrt(found.first), confidence(found.first, found.second), found.first)

    def reordered(self, order: np.ndarray) -> NearestCentre:
        """The centres in another order."""
        return NearestCentre(self.centres[order])

    def arrays(self) -> dict[str, np.ndarray]:
        """The centres."""
        return {"centres": self.centres}


KINDS: dict[str, type] = {NearestCentre.kind: NearestCentre}


def restored(kind: str, arrays: dict[str, np.ndarray]) -> Placement:
    """A placement from what was kept of it. KeyError for a kind that this version does not know."""
    placement: Placement = KINDS[kind](**arrays)
    return placement
