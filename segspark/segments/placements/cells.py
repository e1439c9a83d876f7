"""Placement in micro-clusters, for the counting of users."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from segspark.segments.placements.placed import Placed
from segspark.segments.shortlist import nearest_anchor


@dataclass(frozen=True)
class Cells:
    """The nearest of many centres. It is kept nowhere, and says nothing of borders."""

    centres: np.ndarray
    kind: ClassVar[str] = "cells"

    @property
    def segments(self) -> int:
        """One per centre."""
        return len(self.centres)

    @property
    def noise(self) -> int | None:
        """Everyone has a nearest centre."""
        return None

    def place(self, points: np.ndarray) -> Placed:
        """Distance is Euclidean, cost its square, confidence always 0."""
        number, squares = nearest_anchor(points, self.centres)
        return Placed(number, np.sqrt(squares), np.zeros(len(points)), squares)

    def reordered(self, order: np.ndarray) -> Cells:
        """The centres in another order."""
        return Cells(self.centres[order])

    def arrays(self) -> dict[str, np.ndarray]:
        """The centres."""
        return {"centres": self.centres}
