"""The confidence sequence against hand arithmetic, statsmodels and simulations in which the truth is known."""

import math

import numpy as np
import pytest
from statsmodels.stats.proportion import confint_proportions_2indep

from segspark.campaigns.config import LearningConfig
from segspark.campaigns.learning.sequence import (
    TIGHTEST_AT,
    contrast_sequence,
    conversion_sequence,
    lift_sequence,
    width_in_errors,
)
from tests.unit.campaigns.learning.rows import both, side

CONFIG = LearningConfig()
REVENUE = LearningConfig(objective="revenue")
LOOKS = 20


def looks_at(rng, rate, contacted, held_out, looks=LOOKS, config=CONFIG, lift=0.0):
    """(the sequence ever excludes the truth, a plain interval ever does) in one experiment; the rate drifts by week."""
    evidence, ever, ever_plain = [], False, False
    for number in range(looks):
        now = rate * (1 + 0.5 * math.sin(number))
        converted = rng.binomial(contacted, now + lift), rng.binomial(held_out, now)
        evidence += both(number, (contacted, converted[0]), (held_out, converted[1]))
        found = conversion_sequence(evidence, config)
        low, high = found.plain(config.level)
        ever |= not found.low <= lift <= found.high
        ever_plain |= not low <= lift <= high
    return ever, ever_plain


@pytest.mark.parametrize(
    ("rate", "contacted", "held_out", "discount"),
    [(0.3, 210, 23, 0.97), (0.05, 900, 100, 0.97), (0.05, 210, 23, 1.0), (0.02, 45, 5, 0.97), (0.2, 300, 300, 0.8)],
)
def test_of_actions_without_effect_no_more_than_the_level_is_ever_decided(rate, contacted, held_out, discount):
    rng = np.random.default_rng(11)
    config = LearningConfig(weekly_discount=discount)
    runs = np.array([looks_at(rng, rate, contacted, held_out, config=config) for _ in range(300)])
    ever, ever_plain = runs.mean(axis=0)
    assert ever <= config.level
    assert ever_plain > 2 * config.level  # what a look a week at a plain 95 % interval would do


def test_a_real_lift_is_covered_at_all_looks_together():
    rng = np.random.default_rng(12)
    runs = [looks_at(rng, 0.2, 210, 23, looks=12, lift=0.1)[0] for _ in range(300)]
    assert np.mean(runs) <= CONFIG.level


def test_revenue_without_effect_is_rarely_ever_decided():
    rng = np.random.default_rng(13)

    def paid(number, treated, users):
        spent = (rng.random(users) < 0.2) * rng.lognormal(3.5, 0.8, users)
        sums = {"revenue": float(spent.sum()), "revenue_squares": float((spent**2).sum())}
        return side(number, treated, users, (spent > 0).sum(), **sums)

    ever = []
    for _ in range(200):
        evidence, wrong = [], False
        for number in range(12):
            evidence += [paid(number, True, 450), paid(number, False, 50)]
            found = lift_sequence(evidence, REVENUE)
            wrong |= found is not None and not found.low <= 0 <= found.high
        ever.append(wrong)
    assert np.mean(ever) <= REVENUE.level


def test_the_interval_is_the_formula_of_the_paper():
    # Waudby-Smith et al. (2021): sigma sqrt((t rho^2 + 1) / (t^2 rho^2) log((t rho^2 + 1) / alpha^2)) around the mean
    t, alpha = 350.0, 0.05
    rho_2 = (-2 * math.log(alpha) + math.log(-2 * math.log(alpha) + 1)) / TIGHTEST_AT
    margin = math.sqrt((t * rho_2 + 1) / (t**2 * rho_2) * math.log((t * rho_2 + 1) / alpha**2))
    assert width_in_errors(math.log(t), alpha) == pytest.approx(margin * math.sqrt(t))


def test_one_large_campaign_has_statsmodels_standard_error():
    found = conversion_sequence(both(0, (90_000, 9_900), (10_000, 1_000)), CONFIG)
    low, high = confint_proportions_2indep(9_900, 90_000, 1_000, 10_000, compare="diff", method="wald")
    assert found.lift == pytest.approx(0.01)
    assert found.plain(0.05) == pytest.approx((low, high), rel=1e-2)
    assert found.high - found.low > 1.3 * (high - low)


def test_campaigns_are_strata_weighed_by_pairs_and_age_by_hand():
    config = LearningConfig(weekly_discount=0.5)
    evidence = both(0, (90, 45), (10, 3)) + both(2, (60, 12), (30, 3))
    pairs = [90 * 10 / 100, 60 * 30 / 90]
    weights = [0.25 * pairs[0], pairs[1]]
    lift = (weights[0] * (0.5 - 0.3) + weights[1] * (0.2 - 0.1)) / sum(weights)
    found = conversion_sequence(evidence, config)
    assert found.lift == pytest.approx(lift)
    common = 64 / 192
    steadying = 5 / (common * (1 - common))
    rates = [(57 + steadying * common) / (150 + steadying), (6 + steadying * common) / (40 + steadying)]
    spread = [r * (1 - r) for r in rates]
    variances = [spread[0] / 90 + spread[1] / 10, spread[0] / 60 + spread[1] / 30]
    error = math.sqrt(sum(w**2 * v for w, v in zip(weights, variances, strict=True))) / sum(weights)
    assert found.error == pytest.approx(error)
    information = pairs[0] + 4**2 * pairs[1]
    assert found.high - found.lift == pytest.approx(error * width_in_errors(math.log(information), 0.05))


def test_a_season_that_lifts_all_rates_is_no_lift_of_the_action():
    # first week 10 %, second 40 %, and the second week contacts far more: the sums alone would show a lift
    evidence = both(0, (100, 10), (100, 10)) + both(1, (1800, 720), (200, 80))
    assert (730 / 1900) - (90 / 300) > 0.08
    assert conversion_sequence(evidence, CONFIG).lift == pytest.approx(0.0)


def test_days_of_one_campaign_are_one_stratum():
    split = both(0, (50, 5), (1, 1)) + both(0, (40, 8), (9, 0))
    assert conversion_sequence(split, CONFIG) == conversion_sequence(both(0, (90, 13), (10, 1)), CONFIG)


def test_a_campaign_without_one_of_its_sides_says_nothing():
    whole = both(0, (90, 13), (10, 1))
    assert conversion_sequence([side(0, True, 90, 13)], CONFIG) is None
    assert conversion_sequence([*whole, side(1, True, 90, 60)], CONFIG) == conversion_sequence(whole, CONFIG)
    assert conversion_sequence([], CONFIG) is None
    assert lift_sequence(whole, REVENUE) is None  # nobody paid


def test_forgetting_fast_for_twenty_years_overflows_nothing():
    config = LearningConfig(weekly_discount=0.1)
    evidence = both(0, (90, 13), (10, 1)) + both(1040, (90, 45), (10, 1))
    found = conversion_sequence(evidence, config)
    assert found.lift == pytest.approx(0.4) and math.isfinite(found.low) and found.low < 0.4 < found.high


def test_a_contrast_is_the_difference_of_two_lifts_each_against_its_own_held_out():
    a, b = both(0, (400, 80), (100, 10)), both(0, (300, 45), (100, 12), action="b")
    found = contrast_sequence(a, b, CONFIG)
    assert found.lift == pytest.approx((0.2 - 0.1) - (0.15 - 0.12))
    apart = [conversion_sequence(one, CONFIG).error for one in (a, b)]
    assert found.error == pytest.approx(math.hypot(*apart), rel=0.05)
    assert contrast_sequence(a, both(1, (300, 45), (100, 12)), CONFIG) is None  # no campaign with both


def test_two_actions_of_equal_effect_are_rarely_ever_told_apart():
    rng = np.random.default_rng(14)
    ever = []
    for _ in range(200):
        a, b, wrong = [], [], False
        for number in range(12):
            for rows, base in ((a, 0.2), (b, 0.1)):
                rows += both(number, (210, rng.binomial(210, base + 0.1)), (23, rng.binomial(23, base)))
            found = contrast_sequence(a, b, CONFIG)
            wrong |= not found.low <= 0 <= found.high
        ever.append(wrong)
    assert np.mean(ever) <= CONFIG.level
