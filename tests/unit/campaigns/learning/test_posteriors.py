import math

import pytest

from segspark.campaigns.catalogue import NO_ACTION
from segspark.campaigns.config import LearningConfig
from segspark.campaigns.learning.posteriors import posteriors
from tests.unit.campaigns.learning.rows import both, side, week

CONFIG = LearningConfig(weekly_discount=0.5, prior_rate=0.1, prior_lift=0.05, prior_users=20)


def test_before_any_outcome_the_prior_stands():
    believed = posteriors([], ["a"], 30.0, CONFIG, week(3))
    none, action = believed[NO_ACTION], believed["a"]
    assert (none.alpha, none.beta) == pytest.approx((2.0, 18.0))
    assert (action.alpha, action.beta) == pytest.approx((3.0, 17.0))
    assert (none.revenue_mean, action.revenue_mean) == pytest.approx((3.0, 4.5))
    assert none.revenue_sd == pytest.approx(30 * math.sqrt(0.1 * 0.9 / 20))
    assert none.users == action.users == 0


def test_old_outcomes_count_half_a_week_later_by_hand():
    evidence = both(0, (100, 20), (40, 8)) + both(1, (100, 40), (40, 4), action="b")
    believed = posteriors(evidence, ["a", "b"], 1.0, CONFIG, week(2))
    # held out: 40 / 4 + 40 / 2 users, 8 / 4 + 4 / 2 conversions, on top of 2 and 18
    none = believed[NO_ACTION]
    assert (none.alpha, none.beta, none.users) == pytest.approx((2 + 4, 18 + 26, 30))
    rate = 6 / 50
    prior = 20 * (rate + 0.05)
    assert believed["a"].alpha == pytest.approx(prior + 20 / 4)
    assert believed["a"].beta == pytest.approx(20 - prior + 80 / 4)
    assert believed["b"].alpha == pytest.approx(prior + 40 / 2)


def test_the_posterior_is_that_of_scipy_s_conjugate_update():
    evidence = both(0, (300, 60), (100, 10))
    config = CONFIG.model_copy(update={"weekly_discount": 1.0})
    none = posteriors(evidence, ["a"], 1.0, config, week(9))[NO_ACTION]
    grid = [(k + 0.5) / 20_000 for k in range(20_000)]
    density = [p ** (2 - 1 + 10) * (1 - p) ** (18 - 1 + 90) for p in grid]  # prior times likelihood
    mean = sum(p * d for p, d in zip(grid, density, strict=True)) / sum(density)
    assert none.rate == pytest.approx(mean, rel=1e-6)


def test_an_action_that_comes_late_starts_beside_what_no_contact_does():
    evidence = both(0, (1000, 350), (1000, 300))
    believed = posteriors(evidence, ["a", "late"], 1.0, CONFIG.model_copy(update={"weekly_discount": 1.0}), week(1))
    assert believed["late"].rate == pytest.approx(believed[NO_ACTION].rate + 0.05)
    assert believed["late"].alpha + believed["late"].beta == pytest.approx(20)


def test_what_begins_at_or_after_as_of_changes_nothing():
    old, new = both(0, (100, 20), (40, 8)), both(5, (100, 90), (40, 1))
    assert posteriors(old + new, ["a"], 1.0, CONFIG, week(5)) == posteriors(old, ["a"], 1.0, CONFIG, week(5))


def test_the_order_of_the_evidence_changes_no_bit():
    evidence = [row for n in range(9) for row in both(n, (97 + n, 13 + n), (11, n % 3), action="ab"[n % 2])]
    config = LearningConfig()
    assert posteriors(evidence, ["a", "b"], 9.0, config, week(9)) == posteriors(
        evidence[::-1], ["a", "b"], 9.0, config, week(9)
    )


def test_revenue_is_a_normal_posterior_between_the_segment_s_mean_and_the_action_s_own():
    # contacted: 200 users, 50 of whom paid 40; held out: 100 users, 10 of whom paid 30
    evidence = [
        side(0, True, 200, 50, revenue=2000.0, revenue_squares=50 * 1600.0),
        side(0, False, 100, 10, revenue=300.0, revenue_squares=10 * 900.0),
    ]
    config = CONFIG.model_copy(update={"weekly_discount": 1.0, "prior_lift": 0.0})
    believed = posteriors(evidence, ["a"], 40.0, config, week(1))
    everyone = 2300 / 300
    assert believed["a"].revenue_mean == pytest.approx((2000 + 20 * everyone) / 220)
    assert believed[NO_ACTION].revenue_mean == pytest.approx((300 + 20 * everyone) / 120)
    assert believed["a"].revenue_sd == pytest.approx(math.sqrt((1600 / 4 - 100) / 200), rel=0.1)
    assert believed[NO_ACTION].revenue_sd == pytest.approx(math.sqrt((900 / 10 - 9) / 100), rel=0.15)


def test_a_segment_in_which_nobody_ever_paid_has_a_spread_all_the_same():
    believed = posteriors(both(0, (100, 0), (10, 0)), ["a"], 30.0, CONFIG, week(1))
    assert believed["a"].revenue_sd > 0 and believed[NO_ACTION].revenue_sd > 0
