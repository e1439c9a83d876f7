"""Which new segment is which earlier one, by the users they share. numpy and scipy only."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from scipy.optimize import linear_sum_assignment

SAME = 0.2  # least Jaccard index of one segment in two runs: a third of either side where both are alike in size
LINK = 0.3  # least share of a new segment that came from an earlier one, or of an ended one that went into another


@dataclass(frozen=True)
class Link:
    """One row of segment_lineage."""

    from_segment: int | None
    to_segment: int | None
    kind: str  # same, split, merge, born or ended
    overlap: float


def jaccard(users: np.ndarray) -> np.ndarray:
    """Users in both / users in either, for a table of users by new segment (rows) and earlier one (columns)."""
    either = users.sum(axis=1)[:, None] + users.sum(axis=0)[None, :] - users
    return np.divide(users, either, out=np.zeros(users.shape), where=either > 0)


def match(users: np.ndarray, noise_now: int | None = None, noise_then: int | None = None) -> np.ndarray:
    """The column of the earlier segment that each new one (a row) is, -1 for one that is new.

    The matching whose Jaccard indices have the largest sum (Kuhn 1955; scipy's solver), pairs below SAME left out of
    it. Those who belong nowhere are no segment that could become one: noise is matched with noise alone.
    """
    weights = jaccard(users)
    weights[weights < SAME] = 0.0
    if noise_now is not None:
        weights[noise_now] = 0.0
    if noise_then is not None:
        weights[:, noise_then] = 0.0
    if noise_now is not None and noise_then is not None:
        weights[noise_now, noise_then] = 1.0
    rows, columns = linear_sum_assignment(weights, maximize=True)
    is_same = weights[rows, columns] > 0
    found = np.full(len(users), -1)
    found[rows[is_same]] = columns[is_same]
    return found


def number(matched: np.ndarray, then: np.ndarray, last_id: int) -> np.ndarray:
    """The segment_id of each new segment: its earlier one's from `then`, or the next that no segment ever had."""
    ids = np.where(matched >= 0, np.append(then, -1)[matched], -1)
    is_new = ids < 0
    ids[is_new] = last_id + 1 + np.arange(int(is_new.sum()))
    return ids


def links(ids: np.ndarray, then: np.ndarray, users: np.ndarray) -> list[Link]:
    """What became of every earlier segment and where every new one comes from, in the order of the ids.

    Rows of `users` are the new segments under `ids`, columns the earlier ones under `then`. A new id is split from each
    earlier segment that LINK of its users come from, an ended id merged into each that LINK of its users went to.
    """
    overlap, found = jaccard(users), []
    of_new, of_old = users.sum(axis=1), users.sum(axis=0)
    for row, column in np.ndindex(users.shape):
        old, new, both = int(then[column]), int(ids[row]), users[row, column]
        kind = None
        if old == new:
            kind = "same"
        elif new not in then and both > 0 and both >= LINK * of_new[row]:
            kind = "split"
        elif old not in ids and both > 0 and both >= LINK * of_old[column]:
            kind = "merge"
        if kind:
            found.append(Link(old, new, kind, float(overlap[row, column])))
    found += [Link(None, int(new), "born", 0.0) for new in ids if new not in {link.to_segment for link in found}]
    found += [Link(int(old), None, "ended", 0.0) for old in then if old not in {link.from_segment for link in found}]
    return sorted(found, key=lambda link: (_order(link.from_segment), _order(link.to_segment)))


def _order(segment_id: int | None) -> float:
    return float("inf") if segment_id is None else segment_id
