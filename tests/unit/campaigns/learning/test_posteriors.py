import math

import pytest

from segspark.campaigns.config import LearningConfig
from segspark.campaigns.learning.posteriors import posteriors
from tests.unit.campaigns.learning.rows import both, side, week

CONFIG = LearningConfig(weekly_discount=0.5, prior_rate=0.1, prior_lift=0.05, prior_users=20)


def test_before_any_outcome_the_prior_stands():
    believed = posteriors([], ["a"], 30.0, CONFIG, week(3))
    none, action = believed.none, believed.actions["a"].contacted
    assert believed.actions["a"].none == none
    assert (none.alpha, none.beta) == pytest.approx((2.0, 18.0))
    assert (action.alpha, action.beta) == pytest.approx((3.0, 17.0))
    assert (none.revenue_mean, action.revenue_mean) == pytest.approx((3.0, 4.5))
    assert none.revenue_sd == pytest.approx(30 * math.sqrt(0.1 * 0.9 / 20))
    assert none.users == action.users == 0


def test_old_outcomes_count_half_a_week_later_by_hand():
    evidence = both(0, (100, 20), (40, 8)) + both(1, (100, 40), (40, 4), action="b")
    believed = posteriors(evidence, ["a", "b"], 1.0, CONFIG, week(2))
    # held out: 40 / 4 + 40 / 2 users, 8 / 4 + 4 / 2 conversions, on top of 2 and 18
    none, a, b = believed.none, believed.actions["a"], believed.actions["b"]
    assert (none.alpha, none.beta, none.users) == pytest.approx((2 + 4, 18 + 26, 30))
    pooled = 20 * 6 / 50  # conversions that the prior of each one's own held out weighs
    assert (a.none.alpha, a.none.beta, a.none.users) == pytest.approx((pooled + 2, 20 - pooled + 8, 10))
    assert (b.none.alpha, b.none.beta, b.none.users) == pytest.approx((pooled + 2, 20 - pooled + 18, 20))
    prior_a, prior_b = (20 * ((pooled + 2) / users + 0.05) for users in (30, 40))
    assert (a.contacted.alpha, a.contacted.beta) == pytest.approx((prior_a + 20 / 4, 20 - prior_a + 80 / 4))
    assert (b.contacted.alpha, b.contacted.beta) == pytest.approx((prior_b + 40 / 2, 20 - prior_b + 60 / 2))


def test_the_posterior_is_that_of_scipy_s_conjugate_update():
    evidence = both(0, (300, 60), (100, 10))
    config = CONFIG.model_copy(update={"weekly_discount": 1.0})
    none = posteriors(evidence, ["a"], 1.0, config, week(9)).none
    grid = [(k + 0.5) / 20_000 for k in range(20_000)]
    density = [p ** (2 - 1 + 10) * (1 - p) ** (18 - 1 + 90) for p in grid]  # prior times likelihood
    mean = sum(p * d for p, d in zip(grid, density, strict=True)) / sum(density)
    assert none.rate == pytest.approx(mean, rel=1e-6)


def test_an_action_that_comes_late_starts_beside_what_no_contact_does():
    evidence = both(0, (1000, 350), (1000, 300))
    believed = posteriors(evidence, ["a", "late"], 1.0, CONFIG.model_copy(update={"weekly_discount": 1.0}), week(1))
    late = believed.actions["late"]
    assert late.none.rate == pytest.approx(believed.none.rate)
    assert late.contacted.rate == pytest.approx(believed.none.rate + 0.05)
    assert late.contacted.alpha + late.contacted.beta == pytest.approx(20)


def test_an_action_of_which_nobody_is_held_out_yet_is_set_against_all_held_out():
    evidence = [*both(0, (1000, 350), (1000, 300)), side(0, True, 500, 300, action="b")]
    b = posteriors(evidence, ["a", "b"], 1.0, CONFIG, week(1)).actions["b"]
    assert b.none.users == 0 and b.none.rate == pytest.approx(0.3, abs=0.01)
    assert b.uplift(False) == pytest.approx(0.3, abs=0.03)


@pytest.mark.parametrize("by_revenue", [False, True])
def test_an_action_for_other_people_is_set_against_its_own_held_out(by_revenue):
    def paying(number, action, treated, users, buyers):
        return side(number, treated, users, buyers, action, revenue=20.0 * buyers, revenue_squares=400.0 * buyers)

    people = {"a": (630, 60), "b": (288, 20)}  # of 1,800 and 200: .30 + .05, .10 + .06
    evidence = [
        paying(n, action, treated, users, buyers)
        for n in range(12)
        for action, both_sides in people.items()
        for treated, users, buyers in ((True, 1800, both_sides[0]), (False, 200, both_sides[1]))
    ]
    found = posteriors(evidence, ["a", "b"], 20.0, LearningConfig(), week(12))
    unit = 20.0 if by_revenue else 1.0
    assert found.actions["a"].uplift(by_revenue) == pytest.approx(0.05 * unit, abs=0.003 * unit)
    assert found.actions["b"].uplift(by_revenue) == pytest.approx(0.06 * unit, abs=0.003 * unit)


def test_a_rate_that_drifts_while_shares_change_moves_no_effect():
    # from .10 to .40; a gets less and less of the contacts, b more and more; both add 5 points
    evidence = []
    for n, rate in enumerate((0.1, 0.2, 0.3, 0.4)):
        for action, held_out in (("a", 100 * (8 - 2 * n)), ("b", 100 * (2 + 2 * n))):
            contacted = 9 * held_out
            sides = (contacted, round(contacted * (rate + 0.05))), (held_out, round(held_out * rate))
            evidence += both(n, *sides, action=action)
    for effect in posteriors(evidence, ["a", "b"], 1.0, LearningConfig(), week(4)).actions.values():
        assert effect.uplift(False) == pytest.approx(0.05, abs=0.001)


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
    none, own, contacted = believed.none, believed.actions["a"].none, believed.actions["a"].contacted
    assert none.revenue_mean == pytest.approx((300 + 20 * everyone) / 120)
    assert own.revenue_mean == pytest.approx((300 + 20 * none.revenue_mean) / 120)
    assert contacted.revenue_mean == pytest.approx((2000 + 20 * own.revenue_mean) / 220)
    assert contacted.revenue_sd == pytest.approx(math.sqrt((1600 / 4 - 100) / 200), rel=0.1)
    assert none.revenue_sd == pytest.approx(math.sqrt((900 / 10 - 9) / 100), rel=0.15)


def test_a_segment_in_which_nobody_ever_paid_has_a_spread_all_the_same():
    believed = posteriors(both(0, (100, 0), (10, 0)), ["a"], 30.0, CONFIG, week(1))
    action = believed.actions["a"]
    assert min(each.revenue_sd for each in (believed.none, action.none, action.contacted)) > 0
