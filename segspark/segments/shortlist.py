"""The nearest of thousands of anchors: a matrix product finds the few that may be nearest, exact distances decide.

The product's last bits depend on the batch, so it only ever excludes anchors that rounding cannot have made look
farther than they are. What is left is measured feature by feature: a user's anchors and distances are the same to the
last bit in whatever batch the user comes. numpy alone, for executors and driver.
"""

from __future__ import annotations

from collections.abc import Iterator
from itertools import pairwise
from typing import NamedTuple

import numpy as np

CELLS = 4_000_000  # points x anchors held at once: 32 MB of doubles
SAFETY = 8.0  # times the usual bound on the rounding of a sum of products


class Block(NamedTuple):
    """Some points beside every anchor."""

    rows: slice  # of the points
    columns: np.ndarray  # features x points of the block
    rough: np.ndarray  # points x anchors: squared distances less the point's own square, rounded
    slack: np.ndarray  # of each point: how far two rough values may be out together


def blocks(points: np.ndarray, anchors: np.ndarray) -> Iterator[Block]:
    """The points in turn, as many at once as CELLS allows."""
    squares = np.einsum("af,af->a", anchors, anchors)
    size = max(1, CELLS // len(anchors))
    relative = SAFETY * (points.shape[1] + 4) * np.finfo(np.float64).eps
    for start in range(0, len(points), size):
        part = np.ascontiguousarray(points[start : start + size], dtype=np.float64)
        rough = part @ anchors.T
        rough *= -2.0
        rough += squares
        slack = relative * (np.einsum("pf,pf->p", part, part) + squares.max())
        yield Block(slice(start, start + len(part)), np.ascontiguousarray(part.T), rough, slack)


def closest(block: Block, anchors: np.ndarray, count: int) -> tuple[np.ndarray, np.ndarray]:
    """Each point's `count` nearest anchors, nearest first (of equals the lower number), and squared distances to them.

    points x count. Anchors whose rough value is infinite have no part, unless there are too few others: then their
    number is -1 and their distance infinite.
    """
    rough = block.rough
    # the least of each of `count` parts are as many anchors: the farthest of them is no nearer than the last to find
    parts = np.linspace(0, rough.shape[1], count + 1).astype(np.int64)
    farthest = np.max([rough[:, a:b].min(axis=1) for a, b in pairwise(parts)], axis=0)
    reach = np.minimum(farthest + block.slack, np.finfo(np.float64).max)
    rows, candidates = np.divmod(np.flatnonzero((rough <= reach[:, None]).ravel()), rough.shape[1])
    exact = np.zeros(len(rows))
    for values, others in zip(block.columns, anchors.T, strict=True):
        gap = values[rows] - others[candidates]
        exact += gap * gap
    order = np.lexsort((candidates, exact, rows))
    rows, candidates, exact = rows[order], candidates[order], exact[order]
    rank = np.arange(len(rows)) - np.searchsorted(rows, rows)
    number = np.full((len(rough), count), -1, np.int64)
    distance = np.full((len(rough), count), np.inf)
    is_near = rank < count
    number[rows[is_near], rank[is_near]] = candidates[is_near]
    distance[rows[is_near], rank[is_near]] = exact[is_near]
    return number, distance


def nearest_anchor(points: np.ndarray, anchors: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Each point's nearest anchor (the lowest number of equals) and the squared distance to it."""
    number, distance = np.empty(len(points), np.int64), np.empty(len(points))
    for block in blocks(points, anchors):
        found, exact = closest(block, anchors, 1)
        number[block.rows], distance[block.rows] = found[:, 0], exact[:, 0]
    return number, distance
