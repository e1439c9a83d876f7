import subprocess
import sys

import numpy as np
import pytest
from scipy.stats import chisquare

from segspark.campaigns.config import LearningConfig
from segspark.campaigns.learning.choosing import NOTHING, Odds, choose
from segspark.campaigns.learning.shares import Money, next_strategy
from segspark.campaigns.learning.strategy import odds_of
from tests.unit.campaigns.learning.rows import both, week

SHARES = np.array([[0.5, 0.3, 0.2, 0.0], [0.0, 0.0, 0.0, 0.0]])
FLOORS = np.where(SHARES > 0, 0.02, 0.0)
USERS = 200_000


def odds_with(expected=0.1, hoped=0.2, costs=0.0, shares=SHARES):
    full = np.full(shares.shape, 1.0)
    floors = np.where(shares > 0, 0.02, 0.0)
    return Odds(("s", "t"), tuple("abcd"), shares, floors, full * expected, full * hoped, np.full(4, 1.0) * costs)


def lottery(odds, allowed=(1, 1, 1, 1), segment=0, worth=30.0, prices=None, users=USERS):
    """All points of a fine grid: frequencies are the odds, to a user."""
    may = np.tile(np.array(allowed, dtype=bool), (users, 1))
    where = np.full(users, segment)
    points = (np.arange(users) + 0.5) / users
    return choose(odds, where, np.full(users, worth), may, points, None if prices is None else np.array(prices))


def frequencies(choice):
    return np.bincount(choice.action + 1, minlength=5)[1:] / len(choice.action)


def test_where_all_is_allowed_and_worth_it_the_mix_is_the_strategy_s():
    choice = lottery(odds_with())
    assert frequencies(choice) == pytest.approx(SHARES[0], abs=2 / USERS)
    assert choice.propensity == pytest.approx(SHARES[0][choice.action])


def test_the_propensity_is_the_frequency_also_where_some_is_not_allowed():
    for allowed in ((1, 0, 1, 1), (0, 1, 1, 0), (0, 0, 1, 1)):
        choice = lottery(odds_with(), allowed)
        got = frequencies(choice)
        for action in np.flatnonzero(got):
            assert choice.propensity[choice.action == action] == pytest.approx(got[action], abs=2 / USERS)
        assert got.sum() == 1 and (got[np.array(allowed) == 0] == 0).all()


def test_random_numbers_give_the_same_odds():
    rng = np.random.default_rng(1)
    users = 50_000
    choice = choose(odds_with(), np.zeros(users, int), np.ones(users), np.ones((users, 4), bool), rng.random(users))
    counts = np.bincount(choice.action, minlength=4)[:3]
    assert chisquare(counts, users * SHARES[0][:3]).pvalue > 1e-3


def test_what_is_not_worth_its_cost_goes_to_explorers_only():
    odds = odds_with(hoped=np.array([0.2, 0.01, 0.2, 0.2]), costs=1.0)  # b brings at most 0.30 of its 1.00
    got = frequencies(lottery(odds))
    assert got[1] == pytest.approx(0.02, abs=2 / USERS)
    assert got[0] / got[2] == pytest.approx((0.02 + 0.94 * 0.48 / 0.66) / (0.02 + 0.94 * 0.18 / 0.66), rel=1e-3)


def test_an_unproven_action_is_tried_while_it_may_pay():
    odds = odds_with(expected=-0.01, hoped=0.1, costs=1.0)
    assert frequencies(lottery(odds)) == pytest.approx(SHARES[0], abs=2 / USERS)


def test_a_price_asks_for_more_than_the_cost():
    odds = odds_with(expected=np.array([0.2, 0.1, 0.2, 0.2]))  # 6.00, 3.00, 6.00
    choice = lottery(odds, prices=(4.0, 4.0, 4.0, 4.0))
    assert frequencies(choice)[1] == pytest.approx(0.02, abs=2 / USERS)
    rich = lottery(odds, prices=(4.0, 4.0, 4.0, 4.0), worth=60.0)
    assert frequencies(rich) == pytest.approx(SHARES[0], abs=2 / USERS)


def test_an_infinite_price_takes_an_action_from_explorers_too():
    got = frequencies(lottery(odds_with(), prices=(0.0, np.inf, 0.0, 0.0)))
    assert got[1] == 0 and got.sum() == pytest.approx(1.0)


def test_where_nothing_is_worth_it_only_explorers_are_contacted_and_the_odds_of_nothing_are_told():
    choice = lottery(odds_with(hoped=0.0, costs=1.0))
    assert frequencies(choice)[:3] == pytest.approx([0.02] * 3, abs=2 / USERS)
    none = choice.action == NOTHING
    assert none.mean() == pytest.approx(0.94, abs=2 / USERS)
    assert choice.propensity[none] == pytest.approx(0.94)


def test_a_user_who_may_get_nothing_or_whose_segment_is_stopped_gets_nothing_for_certain():
    for choice in (lottery(odds_with(), (0, 0, 0, 1)), lottery(odds_with(), segment=1)):
        assert (choice.action == NOTHING).all() and (choice.propensity == 1).all()


def test_a_floor_of_the_whole_share_makes_everybody_an_explorer():
    shares = np.array([[0.5, 0.5, 0.0, 0.0], [0.0] * 4])
    odds = Odds(("s", "t"), tuple("abcd"), shares, shares, shares * 0.1, shares * 0.1, np.zeros(4))
    assert frequencies(lottery(odds)) == pytest.approx([0.5, 0.5, 0, 0], abs=2 / USERS)


def test_actions_at_their_floor_share_by_it_where_nothing_else_is_worth_it():
    shares = np.array([[0.96, 0.02, 0.02, 0.0], [0.0] * 4])
    choice = lottery(odds_with(shares=shares), (0, 1, 1, 1))
    assert frequencies(choice)[1:3] == pytest.approx([0.5, 0.5], abs=2 / USERS)


def test_the_odds_of_a_strategy_hold_its_live_shares_in_the_order_of_the_actions():
    evidence = [row for n in range(9) for row in both(n, (900, 270), (100, 20)) + both(n, (900, 80), (100, 20), "b")]
    config = LearningConfig()
    strategy = next_strategy(evidence, {"s": ["a", "b", "c"]}, {}, Money({}, {}), config, week(9), 7)
    odds = odds_of(strategy, ["c", "b", "a"], {"a": 2.0}, 0.02)
    arms = {arm.action: arm for arm in strategy.segments[0].arms}
    assert odds.shares[0].tolist() == [arms["c"].share, 0.0, arms["a"].share]
    assert odds.floors[0].tolist() == [0.02, 0.0, 0.02]
    assert odds.costs.tolist() == [0.0, 0.0, 2.0]
    assert odds.expected[0, 2] == odds.hoped[0, 2] == arms["a"].posterior.rate - strategy.segments[0].none.rate
    assert odds.hoped[0, 0] > odds.expected[0, 0] + 0.02


def test_executors_need_numpy_only():
    script = "import sys, segspark.campaigns.learning.choosing; print(sorted({m.split('.')[0] for m in sys.modules}))"
    loaded = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True).stdout
    assert "'numpy'" in loaded
    assert not any(f"'{name}'" in loaded for name in ("pydantic", "scipy", "pyspark", "yaml", "statsmodels"))
