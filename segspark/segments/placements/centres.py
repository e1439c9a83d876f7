"""Placements by the nearest of a few centres; equally near ones go to the lower position."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from segspark.segments.geometry import confidence, manhattan_distances, nearest, ratio_confidence, unit_rows
from segspark.segments.placements.placed import Placed, places_after


@dataclass(frozen=True)
class NearestCentre:
    """The nearest centre by squared Euclidean distance. K-Means and its kin."""

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

    @classmethod
    def restored(cls, arrays: dict[str, np.ndarray]) -> NearestCentre:
        """From its arrays."""
        return cls(arrays["centres"])


@dataclass(frozen=True)
class NearestMedian:
    """The nearest centre by Manhattan distance. K-medians."""

    centres: np.ndarray  # one row per segment
    kind: ClassVar[str] = "nearest median"

    @property
    def segments(self) -> int:
        """One per centre."""
        return len(self.centres)

    @property
    def noise(self) -> int | None:
        """Everyone has a nearest centre."""
        return None

    def place(self, points: np.ndarray) -> Placed:
        """Distance and cost are Manhattan, confidence 1 - distance / distance to the next nearest."""
        found = nearest(points, self.centres, manhattan_distances)
        return Placed(found.label, found.first, ratio_confidence(found.first, found.second), found.first)

    def reordered(self, order: np.ndarray) -> NearestMedian:
        """The centres in another order."""
        return NearestMedian(self.centres[order])

    def arrays(self) -> dict[str, np.ndarray]:
        """The centres."""
        return {"centres": self.centres}

    @classmethod
    def restored(cls, arrays: dict[str, np.ndarray]) -> NearestMedian:
        """From its arrays."""
        return cls(arrays["centres"])


@dataclass(frozen=True)
class NearestDirection:
    """The centre whose direction is nearest, by cosine distance (1 - cosine). Spherical K-Means.

    A zero vector has no direction: it goes `home`, at distance 1 and without confidence.
    """

    centres: np.ndarray  # one row of length 1 per segment
    home: int  # position
    kind: ClassVar[str] = "nearest direction"

    @property
    def segments(self) -> int:
        """One per centre."""
        return len(self.centres)

    @property
    def noise(self) -> int | None:
        """Everyone has a nearest centre."""
        return None

    def place(self, points: np.ndarray) -> Placed:
        """Confidence is 1 - chord to the nearest / chord to the next nearest, cost the cosine distance.

        Half the squared chord between unit vectors is their cosine distance.
        """
        units = unit_rows(points)
        found = nearest(units, self.centres)
        is_zero = ~units.any(axis=1)
        distance = np.where(is_zero, 1.0, found.first / 2.0)
        sure = np.where(is_zero, 0.0, confidence(found.first, found.second))
        return Placed(np.where(is_zero, self.home, found.label), distance, sure, distance)

    def reordered(self, order: np.ndarray) -> NearestDirection:
        """The centres in another order."""
        return NearestDirection(self.centres[order], int(places_after(order)[self.home]))

    def arrays(self) -> dict[str, np.ndarray]:
        """The centres, and the position of the zero vectors."""
        return {"centres": self.centres, "home": np.array([self.home])}

    @classmethod
    def restored(cls, arrays: dict[str, np.ndarray]) -> NearestDirection:
        """From its arrays."""
        return cls(arrays["centres"], int(arrays["home"][0]))
