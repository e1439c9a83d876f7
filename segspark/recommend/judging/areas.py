"""The area under each user's ROC curve, over all candidate items, as blocks of items come by."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from segspark.recommend.judging.metrics import auc

CELLS_AT_A_TIME = 1_000_000  # scores that are in memory at once: 8 MB
CLOSE = 1e-12  # scores this near, as a share of the sum of the sizes of their terms, are equal


@dataclass(frozen=True)
class Pairs:
    """Pairs of a block's users with items, by user and item: the user's row in the block, and the item."""

    row: np.ndarray
    item: np.ndarray

    def starts(self, rows: int) -> np.ndarray:
        """Where each of the block's rows begins, and the end."""
        return np.searchsorted(self.row, np.arange(rows + 1))


class Areas:
    """Pairs won and tied by each relevant item of one block of users, as the blocks of items come by.

    Candidates are the items that come by without those that are left out; a relevant item is held against the
    candidates that are not relevant to the user. Equals roc_auc_score of scikit-learn over the same scores.
    """

    def __init__(self, vectors: np.ndarray, relevant: Pairs, of_items: np.ndarray, left_out: Pairs) -> None:
        """`vectors` of the block's users, and of the relevant items, each for its pair."""
        self.asked = asked = np.unique(relevant.row)
        self.vectors = vectors[asked].astype(np.float64)
        self.relevant = Pairs(np.searchsorted(asked, relevant.row), relevant.item)
        mine = np.isin(left_out.row, asked)
        row, item = (
            np.concatenate([np.searchsorted(asked, left_out.row[mine]), self.relevant.row]),
            np.concatenate([left_out.item[mine], self.relevant.item]),
        )
        order = np.lexsort((item, row))
        self.passed_by = Pairs(row[order], item[order])  # neither is met as another candidate
        terms = self.vectors[self.relevant.row] * of_items.astype(np.float64)
        self.score, self.near = terms.sum(axis=1), CLOSE * np.abs(terms).sum(axis=1)
        self.below, self.tied = np.zeros(len(terms)), np.zeros(len(terms))
        self.met = np.zeros(len(asked))

    def meet(self, item_no: np.ndarray, vectors: np.ndarray) -> None:
        """Counts a block of items."""
        height = max(1, CELLS_AT_A_TIME // len(item_no))
        relevant_starts, passed_starts = (pairs.starts(len(self.asked)) for pairs in (self.relevant, self.passed_by))
        columns = vectors.astype(np.float64).T
        for first in range(0, len(self.asked), height):
            last = min(first + height, len(self.asked))
            scores = self.vectors[first:last] @ columns
            self._pass_by(scores, slice(passed_starts[first], passed_starts[last]), first, item_no)
            self.met[first:last] += len(item_no) - np.isnan(scores).sum(axis=1)
            for pair in range(relevant_starts[first], relevant_starts[last]):
                mine, score, near = scores[self.relevant.row[pair] - first], self.score[pair], self.near[pair]
                below = np.count_nonzero(mine < score - near)
                self.below[pair] += below
                self.tied[pair] += np.count_nonzero(mine <= score + near) - below

    def _pass_by(self, scores: np.ndarray, span: slice, first: int, item_no: np.ndarray) -> None:
        row, item = self.passed_by.row[span], self.passed_by.item[span]
        place = np.minimum(np.searchsorted(item_no, item), len(item_no) - 1)
        here = item_no[place] == item
        scores[row[here] - first, place[here]] = np.nan

    def found(self) -> np.ndarray:
        """The area of each of the rows `asked`; NaN where a user has no pair."""
        users = len(self.asked)
        below, tied = (np.bincount(self.relevant.row, each, users) for each in (self.below, self.tied))
        return auc(below, tied, np.bincount(self.relevant.row, minlength=users) * self.met)
