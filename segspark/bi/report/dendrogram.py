"""The tree of a hierarchical scheme, cut short to what a reader can take in."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from scipy.cluster.hierarchy import dendrogram

from segspark.bi.report.content import Row

LEAVES = 30  # groups of users at the tips
PREFIX = "placement: cut tree: "  # of the names in segment_model_arrays
ARRAYS = ("ids", *(PREFIX + part for part in ("labels", "weights", "merges")))


@dataclass(frozen=True)
class Leaf:
    """A group of users that is not taken apart further."""

    users: int
    segment_id: int


@dataclass(frozen=True)
class Branch:
    """One merge as a line through four points: places of the leaves count from 0, heights are the merges' own."""

    places: tuple[float, ...]
    heights: tuple[float, ...]
    segment_id: int | None  # None where it joins several


@dataclass(frozen=True)
class Tree:
    """The highest merges of a dendrogram."""

    leaves: tuple[Leaf, ...]
    branches: tuple[Branch, ...]  # lowest first
    cut: float | None  # the height at which the segments part; None for a single segment

    @property
    def segments(self) -> list[int]:
        """segment_ids in the order of the leaves."""
        return list(dict.fromkeys(leaf.segment_id for leaf in self.leaves))


def tree_of(arrays: Sequence[Row], scheme: str) -> Tree | None:
    """From the rows of segment_model_arrays; None where the scheme's model keeps no merges."""
    own = {row["name"]: row for row in arrays if row["scheme"] == scheme and row["name"] in ARRAYS}
    if set(own) != set(ARRAYS):
        return None
    ids, labels, weights, merges = (np.reshape(own[name]["cells"], own[name]["shape"]) for name in ARRAYS)
    if len(merges) == 0:
        return None
    return truncated(merges, weights, ids[labels.astype(np.int64)].astype(np.int64), LEAVES)


def truncated(merges: np.ndarray, weights: np.ndarray, segments: np.ndarray, leaves: int) -> Tree:
    """The tree above its last `leaves` groups, or as many as there are segments, where these are more.

    `merges` as scipy's linkage; `weights` are the users of each point, `segments` their segment_ids.
    """
    points, cut_into = len(weights), len(np.unique(segments))
    users, segment = _by_node(merges, weights, segments)
    drawn = dendrogram(
        merges, p=max(leaves, cut_into), truncate_mode="lastp", no_plot=True, link_color_func=lambda node: str(node)
    )
    lines = zip(drawn["icoord"], drawn["dcoord"], map(int, drawn["color_list"]), strict=True)
    # scipy draws the leaves at 5, 15, 25 and so on
    branches = [
        Branch(tuple((place - 5) / 10 for place in places), tuple(map(float, heights)), segment[node])
        for places, heights, node in lines
    ]
    return Tree(
        leaves=tuple(Leaf(round(users[node]), _of_one(segment[node])) for node in drawn["leaves"]),
        branches=tuple(sorted(branches, key=lambda branch: (max(branch.heights), branch.places))),
        cut=_cut_height(merges[:, 2], points, cut_into),
    )


def _by_node(merges: np.ndarray, weights: np.ndarray, segments: np.ndarray) -> tuple[list[float], list[int | None]]:
    """Users and segment of each point and each merge, as scipy numbers them; None for a merge of several segments."""
    users: list[float] = weights.tolist()
    segment: list[int | None] = segments.tolist()
    for one, other in merges[:, :2].astype(np.int64).tolist():
        users.append(users[one] + users[other])
        segment.append(segment[one] if segment[one] == segment[other] else None)
    return users, segment


def _of_one(segment_id: int | None) -> int:
    assert segment_id is not None, "a leaf of a tree that is cut higher lies in one segment"
    return segment_id


def _cut_height(heights: np.ndarray, points: int, segments: int) -> float | None:
    """Halfway between the highest merge that is kept and the lowest that is undone."""
    if segments < 2:
        return None
    kept = heights[points - segments - 1] if points > segments else 0.0
    return float(kept + heights[points - segments]) / 2
