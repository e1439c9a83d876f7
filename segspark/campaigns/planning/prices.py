"""What a contact costs beside its money: what its budget would earn elsewhere.

Budgets tie all users together; at the right prices they part again, and each user takes what is best for them (the dual
of the linear programme: Dantzig 1963). The prices are the programme's own, solved by scipy's HiGHS for a sample of
users with budgets scaled to it.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from scipy import sparse
from scipy.optimize import linprog

if TYPE_CHECKING:  # the configuration's library is not on every executor
    from segspark.campaigns.catalogue import Strategies
    from segspark.campaigns.planning.quotas import Used

MARGIN = 0.97  # prices of a sample are a little wrong: rather ask for too many contacts, and leave out the worst


@dataclass(frozen=True)
class Budget:
    """One channel over the whole campaign."""

    actions: np.ndarray  # [A] whether the action goes through the channel
    contacts: float  # at most
    money: float  # at most


def budgets_of(strategies: Strategies, days: int, used: Used) -> list[Budget]:
    """What is left of each channel's budgets over the days of a campaign, after what others have used of them."""
    through = np.array([action.channel for action in strategies.actions.values()])
    budgets = []
    for name, channel in strategies.channels.items():
        taken = [each for (of, _), each in used.items() if of == name]
        contacts = float(channel.contacts_per_day * days - sum(contacts for contacts, _ in taken))
        money = channel.money_per_day * days - sum(money for _, money in taken)
        budgets.append(Budget(through == name, max(0.0, contacts), max(0.0, money)))
    return budgets


def price_actions(gains: np.ndarray, costs: np.ndarray, budgets: list[Budget]) -> np.ndarray:
    """What a contact by each action takes from its budgets, in money: [A]; 0 where no budget ends.

    `gains` are [users, actions], after cost, minus infinity where an action is not offered. Nobody takes more than one.
    """
    users, actions = np.nonzero(gains > 0)
    if not len(users) or _fit(gains, costs, budgets):
        return np.zeros(len(costs))
    columns = np.arange(len(users))
    ones = np.ones(len(users))
    rows = [sparse.csr_matrix((ones, (users, columns)), shape=(len(gains), len(users)))]
    limits = [np.ones(len(gains))]
    for budget in budgets:
        inside = budget.actions[actions]
        rows.append(sparse.csr_matrix(np.stack([inside * 1.0, inside * costs[actions]])))
        limits.append(np.array([budget.contacts, budget.money]))
    solved = linprog(
        -gains[users, actions], A_ub=sparse.vstack(rows), b_ub=np.concatenate(limits), bounds=(0, 1), method="highs"
    )
    duals = -solved.ineqlin.marginals[len(gains) :].reshape(len(budgets), 2)
    of_contact = sum(budget.actions * (dual[0] + dual[1] * costs) for budget, dual in zip(budgets, duals, strict=True))
    return np.maximum(MARGIN * np.asarray(of_contact), 0.0)


def _fit(gains: np.ndarray, costs: np.ndarray, budgets: list[Budget]) -> bool:
    """Whether everybody's best fits into the budgets."""
    best = gains.argmax(axis=1)[gains.max(axis=1) > 0]
    counts = np.bincount(best, minlength=len(costs))
    return all(
        (counts * budget.actions).sum() <= budget.contacts and (counts * costs * budget.actions).sum() <= budget.money
        for budget in budgets
    )
