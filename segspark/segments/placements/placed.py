"""What placing users gives."""

from typing import NamedTuple

import numpy as np


class Placed(NamedTuple):
    """One entry per point."""

    number: np.ndarray  # position of the segment, from 0
    distance: np.ndarray  # to the segment's centre, by the method's own measure
    confidence: np.ndarray  # from 0 on the border to 1
    cost: np.ndarray  # what the method makes small, so that fits of one method can be compared


def places_after(order: np.ndarray) -> np.ndarray:
    """The new position of each old one, where `order[0]` comes to position 0, and so on."""
    places = np.empty(len(order), np.int64)
    places[order] = np.arange(len(order))
    return places
