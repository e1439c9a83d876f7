"""Choices at given prices: propensities against counting, shares kept, nothing that is not allowed."""

import numpy as np
import pytest

from segspark.campaigns.planning.choosing import NO_ONE, Rules, Users, choose

ACTIONS = 4


def rules_of(shares, proven, uplift_mean, sd=0.0, floor=0.02, costs=None, prices=None, draws=256):
    shares, mean = np.atleast_2d(shares).astype(float), np.atleast_2d(uplift_mean).astype(float)
    noise = np.random.default_rng(3).normal(0, 1, (draws, *mean.shape)) * sd
    zero = np.zeros(shares.shape[1])
    return Rules(
        shares,
        np.atleast_2d(proven),
        floor,
        mean,
        mean + 2 * sd,
        mean + noise,
        zero if costs is None else np.array(costs, float),
        zero if prices is None else np.array(prices, float),
    )


def many(count, allowed=None, worth=10.0, segment=0, seed=5):
    drawn = np.random.default_rng(seed)
    allowed = np.ones((count, ACTIONS), bool) if allowed is None else np.tile(allowed, (count, 1))
    return Users(
        np.full(count, segment), np.full(count, worth), allowed, drawn.uniform(size=count), drawn.uniform(size=count)
    )


def test_without_proof_actions_are_drawn_by_their_shares():
    rules = rules_of([0.25] * 4, [False] * 4, [1.0, 1.0, 1.0, 1.0])
    chosen = choose(many(40_000), rules)
    counts = np.bincount(chosen.action, minlength=4) / 40_000
    assert counts == pytest.approx([0.25] * 4, abs=0.01)
    assert chosen.propensity == pytest.approx(np.full(40_000, 0.25))


def test_a_proven_action_gets_all_but_the_floors_and_the_even_lanes():
    rules = rules_of([0.94, 0.02, 0.02, 0.02], [True, False, False, False], [1.0, 0.9, 0.8, 0.7])
    chosen = choose(many(40_000), rules)
    assert (chosen.action == 0).mean() == pytest.approx(0.94, abs=0.005)
    assert chosen.propensity[chosen.action == 0] == pytest.approx(0.94)
    assert chosen.propensity[chosen.action == 2] == pytest.approx(0.02)


def test_propensities_are_what_is_counted_over_lots_and_draws():
    rules = rules_of(
        [0.5, 0.2, 0.2, 0.1], [True, True, False, False], [0.30, 0.28, 0.2, 0.1], sd=0.1, costs=[1, 0.5, 1, 0.5]
    )
    users = many(200_000, allowed=[True, True, True, False], worth=8.0)
    chosen = choose(users, rules)
    made = chosen.action != NO_ONE
    for action in range(3):
        counted = (chosen.action == action).sum() / made.sum()
        told = chosen.propensity[chosen.action == action]
        assert np.ptp(told) == pytest.approx(0)
        assert told[0] == pytest.approx(counted, abs=0.005)
    assert not (chosen.action == 3).any()


def test_an_action_that_is_not_allowed_is_never_chosen_and_its_share_goes_to_the_others():
    rules = rules_of([0.25] * 4, [False] * 4, [1.0] * 4)
    chosen = choose(many(10_000, allowed=[False, True, True, False]), rules)
    assert set(np.unique(chosen.action)) == {1, 2}
    assert chosen.propensity == pytest.approx(np.full(10_000, 0.5))


def test_what_may_bring_more_than_it_costs_is_tried_until_its_budget_is_short():
    unsure = {"sd": 0.1, "costs": [1.0] * 4}  # expected to lose .5 at a worth of 10, and to gain 1.5 at most
    tried = choose(many(1000), rules_of([0.25] * 4, [False] * 4, [0.05] * 4, **unsure))
    assert (tried.action != NO_ONE).all() and (tried.gain == -0.5).all()
    short = choose(many(1000), rules_of([0.25] * 4, [False] * 4, [0.05] * 4, **unsure, prices=[0.1, 0, 0, 0]))
    assert set(np.unique(short.action)) == {1, 2, 3}  # who had the first is not left without any
    assert short.propensity == pytest.approx(1 / 3)


def test_nobody_is_contacted_where_no_action_is_allowed_or_all_lose_money():
    rules = rules_of([0.25] * 4, [False] * 4, [0.1] * 4, costs=[5.0] * 4)
    assert (choose(many(100), rules).action == NO_ONE).all()
    nothing = many(100, allowed=[False] * 4)
    assert (choose(nothing, rules_of([0.25] * 4, [False] * 4, [1.0] * 4)).action == NO_ONE).all()


def test_in_the_second_lane_the_price_of_a_budget_changes_who_gets_what():
    shares, proven = [0.5, 0.5, 0, 0], [True, True, False, False]
    cheap, dear = many(1000, worth=4.0), many(1000, worth=40.0)
    rules = rules_of(shares, proven, [0.5, 0.2, 0, 0], floor=0.0, prices=[2.5, 0, 0, 0])
    assert (choose(cheap, rules).action == 1).all()  # 4 * .5 - 2.5 < 4 * .2
    assert (choose(dear, rules).action == 0).all()


def test_the_order_of_the_users_changes_nobodys_choice():
    rules = rules_of([0.4, 0.3, 0.2, 0.1], [True, True, False, False], [0.3, 0.29, 0.1, 0.1], sd=0.05)
    users = many(5_000)
    order = np.random.default_rng(1).permutation(5_000)
    shuffled = Users(
        users.segment[order], users.worth[order], users.allowed[order], users.lane[order], users.draw[order]
    )
    first, again = choose(users, rules), choose(shuffled, rules)
    for name in ("action", "surplus", "gain", "propensity"):
        assert (getattr(first, name)[order] == getattr(again, name)).all()
