"""Planned by prices and cut, against the optimum that scipy's integer solver finds."""

import numpy as np
import pytest
from scipy.optimize import LinearConstraint, milp

from segspark.campaigns.catalogue import Strategies
from segspark.campaigns.planning.prices import Budget, price_actions
from segspark.campaigns.planning.quotas import set_quotas

COSTS = np.array([0.2, 1.5, 0.5, 0.1])
CHANNELS = (0, 0, 1, 1)  # of each action


def strategies(contacts, money):
    channels = {f"c{n}": {"contacts_per_day": contacts[n], "money_per_day": money[n]} for n in (0, 1)}
    actions = {
        f"a{n}": {"title": "x", "channel": f"c{CHANNELS[n]}", "personas": ["all"], "cost": COSTS[n]} for n in range(4)
    }
    return Strategies.model_validate({"channels": channels, "actions": actions})


def budgets(contacts, money):
    return [Budget(np.array([c == n for c in CHANNELS]), contacts[n], money[n]) for n in (0, 1)]


def planned(gains, contacts, money):
    """What our plan of one day earns: everyone's best at the prices, the best of each action up to its quota."""
    surplus = gains - price_actions(gains, COSTS, budgets(contacts, money))
    best = surplus.argmax(axis=1)
    is_made = surplus.max(axis=1) > 0
    wanted = {f"a{n}": int((is_made & (best == n)).sum()) for n in range(4)}
    quotas = set_quotas(wanted, strategies(contacts, money), days=1)
    value, counts = 0.0, np.zeros(4)
    for n in range(4):
        of = np.flatnonzero(is_made & (best == n))
        kept = of[np.argsort(-surplus[of, n])][: quotas[f"a{n}"][0]]
        value, counts[n] = value + gains[kept, n].sum(), len(kept)
    for channel in (0, 1):
        inside = np.array(CHANNELS) == channel
        assert counts[inside].sum() <= contacts[channel]
        assert (counts * COSTS)[inside].sum() <= money[channel] + 1e-9
    return value


def optimum(gains, contacts, money):
    users, actions = gains.shape
    finite = np.where(np.isfinite(gains), gains, -1e6).ravel()
    one_each = np.kron(np.eye(users), np.ones(actions))
    rows, limits = [one_each], [np.ones(users)]
    for channel in (0, 1):
        inside = np.tile([c == channel for c in CHANNELS], users).astype(float)
        rows += [inside[None, :], (inside * np.tile(COSTS, users))[None, :]]
        limits += [np.array([contacts[channel]]), np.array([money[channel]])]
    found = milp(
        -finite,
        constraints=LinearConstraint(np.vstack(rows), ub=np.concatenate(limits)),
        integrality=np.ones(len(finite)),
        bounds=(0, 1),
    )
    return -found.fun


@pytest.mark.parametrize("seed", range(8))
def test_the_plan_earns_at_least_97_percent_of_the_optimum_of_small_cases(seed):
    drawn = np.random.default_rng(seed)
    worth = drawn.lognormal(3, 0.7, 120)
    gains = worth[:, None] * drawn.gamma(2, 0.02, (120, 4)) - COSTS
    gains[drawn.uniform(size=gains.shape) < 0.3] = -np.inf
    contacts, money = (40, 25), (20.0, 8.0)
    ours, best = planned(gains, contacts, money), optimum(gains, contacts, money)
    assert ours <= best + 1e-6
    assert ours >= 0.97 * best


def test_without_a_budget_that_ends_nothing_has_a_price():
    gains = np.random.default_rng(0).gamma(2, 1, (50, 4))
    assert price_actions(gains, COSTS, budgets((1000, 1000), (1e6, 1e6))) == pytest.approx(np.zeros(4))


def test_a_channel_that_ends_has_a_price_and_the_other_has_none():
    gains = np.random.default_rng(0).gamma(2, 1, (50, 4)) + np.array([3, 3, 0, 0])
    prices = price_actions(gains, COSTS, budgets((10, 1000), (1e6, 1e6)))
    assert (prices[:2] > 0).all() and prices[2:] == pytest.approx([0, 0])
