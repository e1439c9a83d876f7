"""A fitted scheme: where its segments lie, and what users are placed by."""

from dataclasses import dataclass

import numpy as np

from segspark.segments.placement import Placement


@dataclass(frozen=True)
class SegmentModel:
    """Segments by position, from 0; `ids` are what they are called by in every table, the same from run to run."""

    placement: Placement
    ids: np.ndarray  # segment_id of each position
    centres: np.ndarray  # mean of each segment's users in the prepared space, a row per position
    sizes: np.ndarray  # users of each segment
    origin: np.ndarray  # of the map
    axes: np.ndarray  # two rows: the first two principal components

    @property
    def k(self) -> int:
        """Segments."""
        return self.placement.segments

    @property
    def sizes_by_id(self) -> dict[int, int]:
        """Users by segment_id, in the order of the positions."""
        return dict(zip(self.ids.tolist(), self.sizes.tolist(), strict=True))


def ordered(centres: np.ndarray, sizes: np.ndarray) -> np.ndarray:
    """The order that numbers the segments: largest first, then by their coordinates."""
    keys = [*centres.T[::-1], -sizes]
    return np.lexsort(keys)


def as_stored(centres: np.ndarray) -> np.ndarray:
    """Centres as the table keeps them, in float32: sums of doubles in another order end in the same segments."""
    return centres.astype(np.float32).astype(np.float64)
