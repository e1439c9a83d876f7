"""One block of users: the lists of every method, made from vectors or given, held against what was held out."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from scipy import sparse

from segspark.recommend.judging.areas import Areas, Pairs
from segspark.recommend.judging.bootstrap import Figures, Key, mean_figures
from segspark.recommend.judging.metrics import RANKING_METRICS, diversity, novelty
from segspark.recommend.topn import BlockLists, ListPlan

POPULARITY = "popularity"  # what every method is held against


class Assessment:
    """What is known of the judged users of one block, and of their lists, as the pieces of their task come by.

    First `own` pairs, then each method's lists or vectors, then what is to be told of the items.
    """

    def __init__(self, methods: Sequence[str], plan: ListPlan, own: OwnPairs) -> None:
        self.methods, self.plan, self.own = methods, plan, own
        self.numbers, self.relevant = np.unique(own.user[own.is_judged], return_counts=True)
        shape = (len(methods), len(self.numbers))
        self.listed = np.full((*shape, plan.top_n), -1, np.int32)
        self.areas = np.full(shape, np.nan)
        self.surprise, self.described = np.zeros(shape), np.zeros(shape)
        self.units, self.with_unit = np.zeros((*shape, 1)), np.zeros(shape)

    def take_lists(self, method: int, user: np.ndarray, item: np.ndarray, rank: np.ndarray) -> None:
        """Lists that the method made itself."""
        row, known = places_in(self.numbers, user)
        known &= rank <= self.plan.top_n
        self.listed[method, row[known], rank[known] - 1] = item[known]

    def scoring(self, method: int, user: np.ndarray, vectors: np.ndarray) -> Scoring:
        """What makes the method's lists from the vectors of its users, numbers ascending."""
        row, known = places_in(self.numbers, user)
        return Scoring(self, method, row[known], vectors[known])

    def describe(self, item: np.ndarray, surprise: np.ndarray, vectors: np.ndarray) -> None:
        """Adds what is to be told of a block of items, numbers ascending, wherever they are listed."""
        flat = self.listed.reshape(-1, self.plan.top_n)
        row, place = np.nonzero(flat >= 0)
        at, known = places_in(item, flat[row, place])
        row, at = row[known], at[known]
        lists, shape = len(flat), self.listed.shape[:2]
        self.surprise += np.bincount(row, surprise[at], lists).reshape(shape)
        self.described += np.bincount(row, minlength=lists).reshape(shape)
        norms = np.linalg.norm(vectors.astype(np.float64), axis=1)
        has = norms > 0
        units = np.divide(vectors, norms[:, None], out=np.zeros(vectors.shape), where=has[:, None])
        counted = sparse.csr_matrix((np.ones(len(row)), (row, at)), shape=(lists, len(item)))
        self.units = self.units + (counted @ units).reshape(*shape, -1)
        self.with_unit += (counted @ has.astype(float)).reshape(shape)

    def figures(self) -> dict[Key, Figures]:
        """Every metric that is a mean over users, of every method; and of its difference with popularity.

        Named as `als-popularity`: user by user, so that an interval is of the difference. Where a user's value is not
        defined for one of the two, the difference is not.
        """
        baseline = self.methods.index(POPULARITY)
        found: dict[Key, Figures] = {}
        for metric, values in self._values().items():
            for place, method in enumerate(self.methods):
                found[method, metric] = mean_figures(values[place])
                if method != POPULARITY:
                    found[f"{method}-{POPULARITY}", metric] = mean_figures(values[place] - values[baseline])
        return found

    def exposures(self, method: int) -> tuple[np.ndarray, np.ndarray]:
        """The items that the method lists, and in how many lists."""
        listed = self.listed[method]
        return np.unique(listed[listed >= 0], return_counts=True)

    def _values(self) -> dict[str, np.ndarray]:
        """Each metric's values, a row per method and a column per user; NaN where it is not defined."""
        hits = self._hits()
        values = {
            name: np.stack([metric(mine, self.relevant) for mine in hits]) for name, metric in RANKING_METRICS.items()
        }
        values["novelty"] = novelty(self.surprise, self.described)
        values["diversity"] = diversity(self.units, self.with_unit)
        return {**values, "auc": self.areas}

    def _hits(self) -> np.ndarray:
        """Which places of the lists hold a relevant item: methods by users by places."""
        user, item = self.own.user[self.own.is_judged], self.own.item[self.own.is_judged]
        width = np.int64(2**32)
        wanted = np.searchsorted(self.numbers, user) * width + item
        keys = np.arange(len(self.numbers))[:, None] * width + self.listed
        return np.isin(keys, wanted) & (self.listed >= 0)


class OwnPairs:
    """Pairs of a block's users, by user and item, with the known action (0: none) and what is asked of them."""

    ACTION, JUDGED, ASKED = 15, 16, 32  # bits of what a pair is marked with

    def __init__(self, user: np.ndarray, item: np.ndarray, marks: np.ndarray) -> None:
        self.user, self.item, self.action = user, item, marks & self.ACTION
        self.is_judged, self.is_asked = (marks & self.JUDGED) > 0, (marks & self.ASKED) > 0


class Scoring:
    """The lists of one method for those of the block's users who have a vector, and their areas.

    The blocks of items come by twice: areas are counted when the scores of the relevant items are known.
    """

    def __init__(self, assessment: Assessment, method: int, row: np.ndarray, vectors: np.ndarray) -> None:
        self.assessment, self.method, self.row, self.vectors = assessment, method, row, vectors
        own, numbers = assessment.own, assessment.numbers[row]
        self.lists = BlockLists(numbers, vectors, assessment.plan)
        has_action = own.action > 0
        self.lists.own(own.user[has_action], own.item[has_action], own.action[has_action])
        at, known = places_in(numbers, own.user)
        asked, left_out = known & own.is_asked, known & self._is_left_out(own.action)
        self.asked, self.left_out = Pairs(at[asked], own.item[asked]), Pairs(at[left_out], own.item[left_out])
        self.of_asked = np.full((len(self.asked.row), vectors.shape[1]), np.nan, np.float32)
        self.areas: Areas | None = None

    def offer(self, item: np.ndarray, vectors: np.ndarray) -> None:
        """Scores a block of items, numbers ascending, for the lists."""
        if len(self.row):
            self.lists.offer(item, vectors)
        at, known = places_in(item, self.asked.item)
        self.of_asked[known] = vectors[at[known]]

    def rank(self) -> None:
        """Keeps the lists: every block of items was offered."""
        self.assessment.listed[self.method, self.row] = self.lists.places.best.numbers
        has = ~np.isnan(self.of_asked).any(axis=1)
        if has.any():
            relevant = Pairs(self.asked.row[has], self.asked.item[has])
            self.areas = Areas(self.vectors, relevant, self.of_asked[has], self.left_out)

    def meet(self, item: np.ndarray, vectors: np.ndarray) -> None:
        """Counts a block of items for the areas."""
        if self.areas is not None:
            self.areas.meet(item, vectors)

    def measure(self) -> None:
        """Keeps the areas: every block of items was met."""
        if self.areas is not None:
            self.assessment.areas[self.method, self.row[self.areas.asked]] = self.areas.found()

    def _is_left_out(self, action: np.ndarray) -> np.ndarray:
        leave_out = self.assessment.plan.leave_out
        return np.zeros(len(action), bool) if leave_out is None else action >= leave_out


def places_in(numbers: np.ndarray, wanted: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Where each wanted number stands among `numbers`, which ascend, and whether it is there."""
    place = np.minimum(np.searchsorted(numbers, wanted), max(len(numbers) - 1, 0))
    return place, (numbers[place] == wanted) if len(numbers) else np.zeros(len(wanted), bool)
