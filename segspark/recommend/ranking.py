"""The best few numbers of each row, gathered piece by piece: higher scores first, ties by the lower number."""

from __future__ import annotations

import numpy as np

PADDING = 4  # a table of rows as long as the longest may have so many times the cells of the rows themselves


class Best:
    """Up to `size` (number, score) of each row. Memory: 16 bytes per row and place."""

    def __init__(self, rows: int, size: int) -> None:
        self.size = size
        self.numbers = np.full((rows, size), -1, np.int64)
        self.scores = np.full((rows, size), -np.inf)

    def bounds(self) -> np.ndarray:
        """The score that a row's newcomer must reach: its last place's, or minus infinity where places are free."""
        return self.scores[:, -1]

    def merge(self, row: np.ndarray, number: np.ndarray, score: np.ndarray) -> None:
        """Ranks newcomers together with what each row had. A number comes once per row."""
        touched = np.unique(row)
        old_row, place = np.nonzero(self.numbers[touched] >= 0)
        old_row = touched[old_row]
        places = (old_row, place)
        row = np.concatenate([old_row, row])
        number = np.concatenate([self.numbers[places], number])
        score = np.concatenate([self.scores[places], score])
        order = best_first(row, number, score)
        order = order[self.admitted(row[order], number[order])]
        row, number, score = row[order], number[order], score[order]
        rank = rank_within(row)
        kept = rank < self.size
        self.numbers[row[kept], rank[kept]] = number[kept]
        self.scores[row[kept], rank[kept]] = score[kept]

    def admitted(self, row: np.ndarray, number: np.ndarray) -> np.ndarray | slice:
        """Which of the ranked numbers may have a place at all: here every one."""
        return slice(None)

    def ranked(self) -> tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray]:
        """row, rank from 1, number and score of every place that is taken, rows and ranks ascending."""
        row, place = np.nonzero(self.numbers >= 0)
        return row, place + 1, self.numbers[row, place], self.scores[row, place]


def best_first(row: np.ndarray, number: np.ndarray, score: np.ndarray) -> np.ndarray:
    """The order by row, in it by higher score, and of equal scores by lower number, which comes once per row.

    Where rows are about as long, sorting each by itself takes half the time of sorting all at once.
    """
    by_row = np.argsort(row, kind="stable")
    place = rank_within(row[by_row])
    rows, widest = np.count_nonzero(place == 0), int(place.max(initial=-1)) + 1
    if rows * widest > PADDING * len(row):
        return np.lexsort((number, -score, row))
    cells = (np.cumsum(place == 0) - 1, place)
    numbers = np.full((rows, widest), np.iinfo(np.int64).max)
    numbers[cells] = number[by_row]
    below = np.full((rows, widest), np.inf)
    below[cells] = -score[by_row]
    at = np.full((rows, widest), -1)
    at[cells] = by_row
    by_number = np.argsort(numbers, axis=1)
    below, at = np.take_along_axis(below, by_number, axis=1), np.take_along_axis(at, by_number, axis=1)
    ranked = np.take_along_axis(at, np.argsort(below, axis=1, kind="stable"), axis=1)
    return ranked[ranked >= 0]


def rank_within(group: np.ndarray) -> np.ndarray:
    """The position of each element within its run of equal elements, from 0."""
    if len(group) == 0:
        return np.zeros(0, np.int64)
    starts = np.flatnonzero(np.r_[True, group[1:] != group[:-1]])
    lengths = np.diff(np.r_[starts, len(group)])
    return np.arange(len(group)) - np.repeat(starts, lengths)
