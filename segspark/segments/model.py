"""A fitted scheme: where its segments lie."""

from dataclasses import dataclass

import numpy as np


@dataclass(frozen=True)
class SegmentModel:
    """Centres in the order of segment_id, with their users, and the two axes of the scheme's map."""

    centres: np.ndarray  # one row per segment, in the prepared space
    sizes: np.ndarray  # users of each segment
    origin: np.ndarray  # of the map
    axes: np.ndarray  # two rows: the first two principal components

    @property
    def k(self) -> int:
        """Segments."""
        return len(self.centres)


def ordered(centres: np.ndarray, sizes: np.ndarray) -> np.ndarray:
    """The order that numbers the segments: largest first, then by their coordinates."""
    keys = [*centres.T[::-1], -sizes]
    return np.lexsort(keys)


def as_stored(centres: np.ndarray) -> np.ndarray:
    """Centres as the table keeps them, in float32: sums of doubles in another order end in the same segments."""
    return centres.astype(np.float32).astype(np.float64)
