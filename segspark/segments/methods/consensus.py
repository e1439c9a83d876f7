"""Several methods fused: co-association of users, then the members' vote.

By how often two users are kept together they are joined into segments (Fred and Jain 2005); each member's segments are
matched to these, and the members vote until nobody's segment changes (Dudoit and Fridlyand 2003).
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
from scipy.optimize import linear_sum_assignment
from sklearn.metrics import adjusted_rand_score
from threadpoolctl import threadpool_limits

from segspark.segments.linkage import average_linkage, cut
from segspark.segments.methods.method import Everyone, Method, Params
from segspark.segments.metrics import contingency
from segspark.segments.placement import Placement
from segspark.segments.placements.panel import Panel, most_voted
from segspark.segments.sample import sample_vectors

if TYPE_CHECKING:
    from segspark.segments.config import SchemeConfig

ROUNDS = 20  # of voting; it settles in a few


class Consensus(Method):
    """The partitions of several methods into as many segments, each voice alike."""

    def __init__(self, members: dict[str, Method]) -> None:
        self._members = members

    def candidates(self, config: SchemeConfig, points: np.ndarray) -> list[Params]:
        """Every number of segments that is configured."""
        return [{"k": k} for k in config.numbers]

    def fit(self, points: np.ndarray, params: Params, config: SchemeConfig, seed: int) -> Placement:
        """The members' fits to the points, fused."""
        return self.fit_all(points, [params], config, seed)[0]

    def fit_all(self, points: np.ndarray, tried: list[Params], config: SchemeConfig, seed: int) -> list[Placement]:
        """Each member fits every number of segments at once."""
        fits = [self._members[name].fit_all(points, tried, config, seed) for name in config.members]
        voices = zip(*fits, strict=True)
        return [fused(members, points, int(params["k"])) for members, params in zip(voices, tried, strict=True)]

    def fit_everyone(self, everyone: Everyone, params: Params, config: SchemeConfig, seed: int) -> dict[str, Placement]:
        """The same on up to `fit_sample` users, on the driver; none where the sample held everyone."""
        if everyone.users <= config.sample:
            return {}
        sample = sample_vectors(everyone.vectors, config.fit_sample, everyone.users, seed)
        with threadpool_limits(limits=1):
            return {f"sample of {len(sample.points)}": self.fit(sample.points, params, config, seed)}


def fused(members: tuple[Placement, ...], points: np.ndarray, clusters: int) -> Panel:
    """The members and what each of their segments stands for, found on these points.

    Those that agree most with the others come first: where votes are equal, theirs decides.
    """
    partitions = [member.place(points).number for member in members]
    first = by_agreement(partitions)
    kinds, users = np.unique(np.column_stack([partitions[n] for n in first]), axis=0, return_counts=True)
    votes = settled(kinds, users, co_associated(kinds, users, clusters), clusters)
    return Panel(tuple(members[n] for n in first), tuple(votes), clusters)


def by_agreement(partitions: list[np.ndarray]) -> list[int]:
    """The partitions' positions, highest mean adjusted Rand index against all of them first."""
    agreed = [np.mean([adjusted_rand_score(other, own) for other in partitions]) for own in partitions]
    return sorted(range(len(partitions)), key=lambda n: (-round(float(agreed[n]), 12), n))


def co_associated(kinds: np.ndarray, users: np.ndarray, clusters: int) -> np.ndarray:
    """The label of each kind of user, by average linkage on 1 - the share of members that keep two users together.

    A kind, a row, is all users whom every member puts into the same of its segments; `users` is how many they are.
    """
    apart = (kinds[:, None, :] != kinds[None, :, :]).mean(axis=2)
    return cut(average_linkage(apart, users.astype(np.float64)), clusters)


def settled(kinds: np.ndarray, users: np.ndarray, label: np.ndarray, clusters: int) -> list[np.ndarray]:
    """For each member, which label each of its segments stands for, once the vote leaves every kind where it is."""
    for _ in range(ROUNDS):
        votes = [matched(own, label, users, clusters) for own in kinds.T]
        voted, _ = most_voted([stands_for[own] for stands_for, own in zip(votes, kinds.T, strict=True)])
        if (voted == label).all():
            break
        label = voted
    return votes


def matched(own: np.ndarray, label: np.ndarray, users: np.ndarray, clusters: int) -> np.ndarray:
    """The label of each of a member's segments: one to one so that most users keep theirs; a further one by overlap."""
    segments = int(own.max()) + 1
    shared = contingency(own, label, segments, clusters, users)
    stands_for = shared.argmax(axis=1)
    rows, columns = linear_sum_assignment(shared, maximize=True)
    stands_for[rows] = columns
    return stands_for
