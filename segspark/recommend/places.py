"""The places of users' lists, filled as blocks of scores come by: few scores of a block are ever ranked."""

from __future__ import annotations

import numpy as np

from segspark.recommend.ranking import Best, rank_within

DIGITS = 6  # decimals of a score: the last bits of a product depend on where in its block an item stands
GROUPS_PER_PLACE = 16  # groups of columns per place of a list: with so many, few groups have two of the best
FEW = 1 / 64  # share of the scores that is ranked without further looking
LOWEST = float(np.finfo(np.float32).min)  # above minus infinity, which stands for what is left out


class Places:
    """The best items of each row so far."""

    def __init__(self, rows: int, size: int) -> None:
        self.best = Best(rows, size)

    def start(self, item_no: np.ndarray) -> None:
        """The items of the next block of scores, numbers ascending."""
        self.item_no = item_no.astype(np.int64)

    def take(self, scores: np.ndarray, first: int) -> None:
        """Scores of the block's items for rows from `first` on; minus infinity stands for what is left out."""
        bounds = self.best.bounds()[first : first + len(scores)]
        if np.isneginf(bounds).any():
            bounds = np.maximum(bounds, low_bounds(scores, self.best.size))
        self._rank(scores, np.flatnonzero(scores >= _lowest(bounds)[:, None]), first, self.item_no)

    def _rank(self, scores: np.ndarray, cells: np.ndarray, first: int, item_no: np.ndarray) -> None:
        row, place = np.divmod(cells, scores.shape[1])
        rounded = np.round(scores[row, place].astype(np.float64), DIGITS)
        self.best.merge(row + first, item_no[place], rounded)


class CappedPlaces(Places):
    """The best items of each row so far, at most `most` of one category: what a walk down the whole ranking keeps.

    An item that has `most` better ones of its category among some of the items has them among all; so has an item the
    `size` better ones that may stand together. Block after block therefore drops nothing that the whole would keep.
    """

    def __init__(self, rows: int, size: int, most: int, item_no: np.ndarray, category: np.ndarray) -> None:
        """`category` (from 0) of each of `item_no`, ascending; an item that is not there is a category of its own."""
        self.best = self.kept = CappedBest(rows, size, most, item_no, category)

    def start(self, item_no: np.ndarray) -> None:
        """Puts the items of a category side by side, in as many groups as may be kept, or in one each if fewer."""
        super().start(item_no)
        category = self.kept.category_of(self.item_no)
        self.order = np.argsort(category, kind="stable")
        self.categories, self.widths = np.unique(category, return_counts=True)
        self.is_full = self.widths >= self.kept.most
        groups = np.minimum(self.widths, self.kept.most)
        self.first_group = np.cumsum(groups) - groups
        in_category = np.arange(groups.sum()) - np.repeat(self.first_group, groups)
        first_item = np.cumsum(self.widths) - self.widths
        self.group_start = np.repeat(first_item, groups) + in_category * np.repeat(self.widths, groups) // np.repeat(
            groups, groups
        )

    def take(self, scores: np.ndarray, first: int) -> None:
        """As without a cap. Where many scores reach the lists, they must also reach what `most` of their category have.

        Ranking alone would do; bounds of categories only keep the number of what is ranked small.
        """
        bounds = self.best.bounds()[first : first + len(scores)]
        cells = np.flatnonzero(scores >= _lowest(bounds)[:, None])
        if len(cells) <= scores.size * FEW:
            self._rank(scores, cells, first, self.item_no)
            return
        scores = scores[:, self.order]
        lowest = np.repeat(_lowest(self._bounds(scores, first)), self.widths, axis=1)
        self._rank(scores, np.flatnonzero(scores >= lowest), first, self.item_no[self.order])

    def _bounds(self, scores: np.ndarray, first: int) -> np.ndarray:
        """For each row and category of the block what an item must reach.

        The highest of each group may all stand in the list together: the `size`-th of them bounds the list, and the
        lowest of a category's groups bounds the category.
        """
        tops = np.maximum.reduceat(scores, self.group_start, axis=1)
        of_list = self.best.bounds()[first : first + len(scores)]
        if tops.shape[1] >= self.best.size:
            of_list = np.maximum(of_list, np.partition(tops, -self.best.size, axis=1)[:, -self.best.size])
        of_category = np.minimum.reduceat(tops, self.first_group, axis=1).astype(np.float64)
        of_category[:, ~self.is_full] = -np.inf
        row, category, score = self.kept.full_categories(slice(first, first + len(scores)))
        at = np.minimum(np.searchsorted(self.categories, category), len(self.categories) - 1)
        is_here = self.categories[at] == category
        row, at, score = row[is_here], at[is_here], score[is_here]
        of_category[row, at] = np.maximum(of_category[row, at], score)
        return np.maximum(of_category, of_list[:, None])


class CappedBest(Best):
    """Up to `size` (number, score) of each row, at most `most` of one category."""

    def __init__(self, rows: int, size: int, most: int, number: np.ndarray, category: np.ndarray) -> None:
        super().__init__(rows, size)
        self.most, self.known, self.category = most, number, category

    def category_of(self, number: np.ndarray) -> np.ndarray:
        """The category of each number; below 0 and its own for a number without one."""
        at = np.minimum(np.searchsorted(self.known, number), max(len(self.known) - 1, 0))
        if len(self.known) == 0:
            return -1 - number
        return np.where(self.known[at] == number, self.category[at], -1 - number)

    def full_categories(self, rows: slice) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        """row (from 0 within `rows`), category and lowest kept score of each category that has all it may have."""
        row, place = np.nonzero(self.numbers[rows] >= 0)
        category = self.category_of(self.numbers[rows][row, place])
        score = self.scores[rows][row, place]
        last = _place_in_category(row, category) == self.most - 1
        return row[last], category[last], score[last]

    def admitted(self, row: np.ndarray, number: np.ndarray) -> np.ndarray:
        """Whether each of the ranked numbers is among the first `most` of its category in its row."""
        return _place_in_category(row, self.category_of(number)) < self.most


def _place_in_category(row: np.ndarray, category: np.ndarray) -> np.ndarray:
    """How many of the same row and category stand before each element, whose rows ascend."""
    order = np.lexsort((category, row))
    starts_anew = np.r_[True, (np.diff(row[order]) != 0) | (np.diff(category[order]) != 0)][: len(order)]
    place = np.empty(len(order), np.int64)
    place[order] = rank_within(np.cumsum(starts_anew))
    return place


def _lowest(bounds: np.ndarray) -> np.ndarray:
    """The least score before rounding that may reach a bound."""
    return np.maximum(bounds - 2 * 10.0**-DIGITS, LOWEST).astype(np.float32)


def low_bounds(scores: np.ndarray, size: int) -> np.ndarray:
    """A bound for each row that at least `size` of its scores reach and not many more; minus infinity in short rows.

    It is the `size`-th highest among the highest scores of groups of columns, which takes one pass over long rows.
    """
    rows, width = scores.shape
    if width <= size:
        return np.full(rows, -np.inf)
    groups = GROUPS_PER_PLACE * size
    if width >= 2 * groups:
        whole = scores[:, : width - width % groups]
        scores = whole.reshape(rows, -1, groups).max(axis=1)
    return np.partition(scores, -size, axis=1)[:, -size]
