"""The ids that a scheme's segments bear, and where they come from."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace

import numpy as np
from pyspark.sql import Row

from segspark.segments.model import SegmentModel
from segspark.segments.stability.changes import overlap_table
from segspark.segments.stability.matching import Link, links, match, number
from segspark.segments.stability.reuse import Earlier


def identify_first(model: SegmentModel, last_id: int) -> tuple[SegmentModel, list[Link]]:
    """A scheme that the published run does not have: every segment is born, with an id that none ever had."""
    then = np.array([], dtype=int)
    ids = number(np.full(model.k, -1), then, last_id)
    return replace(model, ids=ids), links(ids, then, np.zeros((model.k, 0)))


def identify_again(model: SegmentModel, earlier: Earlier, crossings: Iterable[Row]) -> tuple[SegmentModel, list[Link]]:
    """The published run's own model: ids as they are."""
    then = np.array(sorted(earlier.names))
    return model, links(model.ids, then, overlap_table(crossings, then, model.k))


def identify_anew(
    model: SegmentModel, earlier: Earlier, crossings: Iterable[Row], last_id: int
) -> tuple[SegmentModel, list[Link]]:
    """A model fitted anew: a segment that matches an earlier one has its id, another one that none ever had."""
    then = np.array(sorted(earlier.names))
    users = overlap_table(crossings, then, model.k)
    ids = number(match(users, model.placement.noise, _noise(earlier, then)), then, last_id)
    return replace(model, ids=ids), links(ids, then, users)


def _noise(earlier: Earlier, then: np.ndarray) -> int | None:
    """The place in `then` of the earlier segment of those who belong to none."""
    if earlier.model is None or earlier.model.placement.noise is None:
        return None
    return int(np.searchsorted(then, earlier.model.ids[earlier.model.placement.noise]))
