"""Which action each user should get at given prices, and how likely it was: numpy, for batches of users.

A user's action is drawn in two lanes. In the first, an action is drawn by the strategy's shares among those that the
user may get: every action that is not proven, and the floor of those that are. It is done while the most that it may
bring covers its cost, so that what is not proven is tried; where a budget is short, what is expected of it counts.

In the second lane, which takes what is left of the shares, it is the proven action with the highest gain after what its
budget costs, and none where that is a loss. Gains there are a draw from the posteriors that the user's hash picks
(Thompson 1933): of two proven actions each is done as often as it may be the better.
"""

from dataclasses import dataclass

import numpy as np

NO_ONE = -1  # in place of an action: no contact
TRIED = 1e-6  # of what it may bring: the gain of a contact that is made to learn, though it is expected to lose
KINDS_AT_A_TIME = 1024  # kinds of users, times draws, in memory at once


@dataclass(frozen=True)
class Rules:
    """What choices go by: S segments, A actions, K draws. Money in the shop's currency."""

    shares: np.ndarray  # [S, A] of contacts; a row sums to 1, or is 0 where nothing may be done
    is_proven: np.ndarray  # [S, A] whether the action may be scaled up
    floor: float  # share of each action that is drawn whatever it is expected to gain
    uplift_mean: np.ndarray  # [S, A] of the posterior: conversions, or money, above no contact
    uplift_most: np.ndarray  # [S, A] the most that it may be
    uplift: np.ndarray  # [K, S, A] draws of it
    costs: np.ndarray  # [A] of a contact
    prices: np.ndarray  # [A] of a contact: what its budget would earn elsewhere


@dataclass(frozen=True)
class Users:
    """A batch of users. `lane` and `draw` are uniform in [0, 1), by hash."""

    segment: np.ndarray  # [U] number of the segment
    worth: np.ndarray  # [U] money per unit of uplift
    allowed: np.ndarray  # [U, A]
    lane: np.ndarray  # [U]
    draw: np.ndarray  # [U]


@dataclass(frozen=True)
class Chosen:
    """One row per user."""

    action: np.ndarray  # number, or NO_ONE
    surplus: np.ndarray  # drawn gain after cost and price: by which contacts are cut where a budget ends
    gain: np.ndarray  # expected gain after cost
    propensity: np.ndarray  # how likely the action was, given that the user is contacted


def lanes(users: Users, rules: Rules) -> tuple[np.ndarray, np.ndarray]:
    """Per user and action the share of the first lane, and per user whether the second is open for the action.

    What a user may not get, or is not worth its price to them, is not among their lots: the others take its share.
    """
    may = users.allowed & (rules.shares[users.segment] > 0)
    is_open = rules.is_proven[users.segment] & may
    is_worth = _to_learn(users, rules) > rules.prices
    shares = np.where(may & (is_worth | is_open), rules.shares[users.segment], 0.0)
    total = shares.sum(axis=1, keepdims=True)
    shares = np.divide(shares, total, out=np.zeros_like(shares), where=total > 0)
    return np.where(is_open, np.minimum(shares, rules.floor) * is_worth, shares), is_open


def options(users: Users, rules: Rules) -> np.ndarray:
    """Gains after cost per user and action, minus infinity for what the user's lane does not offer."""
    by_lot, is_open = lanes(users, rules)
    lot = _by_lot(by_lot, users.lane)
    drawn = rules.uplift[(users.draw * len(rules.uplift)).astype(int), users.segment]
    second = np.where(is_open, drawn * users.worth[:, None] - rules.costs, -np.inf)
    first = np.where(np.arange(by_lot.shape[1]) == lot[:, None], _to_learn(users, rules), -np.inf)
    return np.where((lot == NO_ONE)[:, None], second, first)


def choose(users: Users, rules: Rules) -> Chosen:
    """The best of each user's options after prices; NO_ONE where none is worth its price."""
    surplus = options(users, rules) - rules.prices
    best = surplus.argmax(axis=1)
    rows = np.arange(len(best))
    is_made = surplus[rows, best] > 0
    gain = rules.uplift_mean[users.segment, best] * users.worth - rules.costs[best]
    chances = _chances(users, rules)
    total = chances.sum(axis=1)
    propensity = np.divide(chances[rows, best], total, out=np.zeros(len(best)), where=total > 0)
    return Chosen(
        action=np.where(is_made, best, NO_ONE),
        surplus=np.where(is_made, surplus[rows, best], 0.0),
        gain=np.where(is_made, gain, 0.0),
        propensity=np.where(is_made, propensity, 0.0),
    )


def _by_lot(by_lot: np.ndarray, lane: np.ndarray) -> np.ndarray:
    """The action whose part of [0, 1) the user's number falls in; NO_ONE in the second lane."""
    ends = by_lot.cumsum(axis=1)
    found = (lane[:, None] >= ends).sum(axis=1)
    return np.where(found < by_lot.shape[1], np.minimum(found, by_lot.shape[1] - 1), NO_ONE)


def _to_learn(users: Users, rules: Rules) -> np.ndarray:
    """Gains in the first lane, [U, A]: expected, but never a loss while the most that it may be is a gain."""
    scale = users.worth[:, None]
    expected = rules.uplift_mean[users.segment] * scale - rules.costs
    most = rules.uplift_most[users.segment] * scale - rules.costs
    tried = np.where(rules.costs > 0, most, np.maximum(most, scale))
    return np.where(tried > 0, np.maximum(expected, TRIED * tried), -np.inf)


def _chances(users: Users, rules: Rules) -> np.ndarray:
    """How likely each action was for each user over lots and draws, [U, A]; a row sums to the chance of any contact.

    Users of the same segment, worth and actions have the same chances, which are counted once.
    """
    masks = np.packbits(users.allowed, axis=1)
    kinds = np.column_stack([users.segment, users.worth, masks])
    _, first, kind = np.unique(kinds, axis=0, return_index=True, return_inverse=True)
    parts = [np.zeros((0, len(rules.costs)))]
    for start in range(0, len(first), KINDS_AT_A_TIME):
        rows = first[start : start + KINDS_AT_A_TIME]
        of = (users.segment[rows], users.worth[rows], users.allowed[rows], users.lane[rows], users.draw[rows])
        parts.append(_chances_of_few(Users(*of), rules))
    return np.concatenate(parts)[kind.ravel()]


def _chances_of_few(users: Users, rules: Rules) -> np.ndarray:
    by_lot, is_open = lanes(users, rules)
    chances = by_lot * (_to_learn(users, rules) > rules.prices)
    off = rules.costs + rules.prices
    for segment in np.unique(users.segment):
        of = users.segment == segment
        second = 1 - by_lot[of].sum(axis=1)
        if (second > 1e-12).any():
            wins = _wins(rules.uplift[:, segment, :], users.worth[of], off, is_open[of])
            chances[of] += second[:, None] * wins
    return chances


def _wins(draws: np.ndarray, worth: np.ndarray, off: np.ndarray, is_open: np.ndarray) -> np.ndarray:
    """Share of the draws in which each open action has the highest surplus, and it is above 0: [U, A]."""
    wins = np.zeros(is_open.shape)
    actions = np.flatnonzero(is_open.any(axis=0))
    gains = np.full((len(draws), len(is_open)), 0.0)  # the best so far; no contact is worth 0
    winner = np.full((len(draws), len(is_open)), NO_ONE)
    for action in actions:
        surplus = np.where(is_open[:, action], draws[:, action, None] * worth - off[action], -np.inf)
        is_better = surplus > gains
        gains, winner = np.where(is_better, surplus, gains), np.where(is_better, action, winner)
    for action in actions:
        wins[:, action] = (winner == action).mean(axis=0)
    return wins
