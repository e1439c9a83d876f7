"""Which action a user gets: a lottery of known odds. numpy only, as it runs inside Arrow batches on executors.

A share e of a segment's users explores: any action that they may get, all alike, whatever it is expected to gain. e is
the sum of the actions' floors, so an action that everybody may get keeps its floor. The others draw among the actions
that they may get and that are worth it, in proportion to what the segment's shares hold above the floors. So where
every user may get every action and each is worth it, the odds are the segment's shares, exactly.

An action is worth its cost while the most that it may bring the user covers it: what is not proven yet is tried. Where
a budget is short, its price asks for more: the expected gain after the cost must be above it.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Numbers = NDArray[np.float64]
Indices = NDArray[np.int64]
Flags = NDArray[np.bool_]
NOTHING = -1  # in place of an action


@dataclass(frozen=True)
class Odds:
    """A strategy as arrays [segments, actions]; a stopped action, or one that a segment may not get, has no share."""

    segments: tuple[str, ...]
    actions: tuple[str, ...]
    shares: Numbers
    floors: Numbers  # the part of the share that explores; zero where the share is
    expected: Numbers  # uplift above no contact by the posterior means: conversions per contact, or money
    hoped: Numbers  # the most that it may be; of a scaled action the expected
    costs: Numbers  # [actions], per contact


@dataclass(frozen=True)
class Choice:
    """What each user gets."""

    action: Indices  # index of the action; NOTHING
    propensity: Numbers  # probability of that for that user, also where it is NOTHING


def choose(
    odds: Odds, segment: Indices, worth: Numbers, allowed: Flags, lottery: Numbers, prices: Numbers | None = None
) -> Choice:
    """One action, or nothing, per user.

    `segment` is each user's row in `odds`; `worth` turns the uplift into money (1 where it is money already);
    `allowed` [users, actions] is what the user may get; `lottery` is a number in [0, 1) from the user's hash; `prices`
    [actions] are what a contact must gain beyond its cost: 0 where the budget suffices, infinite where it is used up.

    Everybody has one number: below e it decides what an explorer gets, above e what the others get.
    """
    prices = np.zeros(len(odds.actions)) if prices is None else prices
    may = allowed & (odds.shares[segment] > 0) & (prices < np.inf)
    exploring = _normalised(may.astype(np.float64))
    drawing = _drawing(odds, segment, may & _is_worth(odds, segment, worth, prices))
    explore = odds.floors.sum(axis=1)[segment]
    is_explorer = lottery < explore
    below, above = np.maximum(explore, 1e-300), np.maximum(1 - explore, 1e-300)
    point = np.where(is_explorer, lottery / below, (lottery - explore) / above)
    action = _drawn(np.where(is_explorer[:, None], exploring, drawing), point)
    chances = explore[:, None] * exploring + (1 - explore[:, None]) * drawing
    own = np.take_along_axis(chances, np.maximum(action, 0)[:, None], axis=1)[:, 0]
    none = np.clip(1 - chances.sum(axis=1), 0.0, 1.0)
    return Choice(action, np.where(action == NOTHING, none, own))


def _is_worth(odds: Odds, segment: Indices, worth: Numbers, prices: Numbers) -> Flags:
    most = odds.hoped[segment] * worth[:, None] - odds.costs
    gain = odds.expected[segment] * worth[:, None] - odds.costs
    return np.asarray(((most > 0) | (odds.costs <= 0)) & ((gain > prices) | (prices <= 0)), dtype=np.bool_)


def _drawing(odds: Odds, segment: Indices, wanted: Flags) -> Numbers:
    """The odds of those who do not explore: by what the shares hold above the floors, or by the whole shares where what
    is wanted holds no more than its floor."""
    shares = np.where(wanted, odds.shares[segment], 0.0)
    above = np.where(wanted, odds.shares[segment] - odds.floors[segment], 0.0)
    above[above < 1e-12] = 0.0
    return _normalised(np.where(above.any(axis=1, keepdims=True), above, shares))


def _normalised(weights: Numbers) -> Numbers:
    total = weights.sum(axis=1, keepdims=True)
    return np.divide(weights, total, out=np.zeros_like(weights), where=total > 0)


def _drawn(weights: Numbers, point: Numbers) -> Indices:
    """The index that `point` in [0, 1) falls on; NOTHING where all weights are zero."""
    edges = np.cumsum(weights, axis=1)
    last = edges[:, -1:]
    edges = np.where(edges >= last, 1.0, edges)  # rounding leaves no gap above the last weight
    index = (np.minimum(point, 1 - 1e-15)[:, None] >= edges).sum(axis=1)
    return np.where(last[:, 0] > 0, index, NOTHING)
