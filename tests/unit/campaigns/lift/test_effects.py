"""Every statistic against scipy and statsmodels on the users themselves."""

import math

import numpy as np
import pytest
from scipy import stats
from statsmodels.stats import proportion
from statsmodels.stats.multitest import multipletests
from statsmodels.stats.power import ttest_power
from statsmodels.stats.proportion import (
    confint_proportions_2indep,
    power_proportions_2indep,
)

from segspark.campaigns.config import LiftConfig
from segspark.campaigns.evidence import Evidence, Sums
from segspark.campaigns.lift.effects import MEASURES, measure_lifts
from segspark.campaigns.lift.means import compare_means, moments
from segspark.core.contracts import CAMPAIGN_LIFT
from tests.unit.campaigns.lift.arrays import STARTS_ON, Shop, row_of, side

CONFIG = LiftConfig()


@pytest.fixture(scope="module")
def users():
    rng, shop = np.random.default_rng(3), Shop()
    treated, control = shop.users(rng, 1800, more_orders=0.03), shop.users(rng, 200)
    return treated, control, rng.integers(1, 6, 300).astype(float), rng.integers(2, 6, 40).astype(float)


@pytest.fixture(scope="module")
def rows(users):
    treated, control, treated_ratings, control_ratings = users
    return measure_lifts(
        [
            side("loyal", "coupon", True, ratings=treated_ratings, **treated),
            side("loyal", "coupon", False, ratings=control_ratings, **control),
        ],
        CONFIG,
    )


def wider(one, other):
    """The interval and p-value of Welch's and Student's test, by scipy on raw values: whichever finds less."""
    tests = [stats.ttest_ind(one, other, equal_var=equal) for equal in (False, True)]
    intervals = [test.confidence_interval(0.95) for test in tests]
    low, high = min(i.low for i in intervals), max(i.high for i in intervals)
    return low, high, max(test.pvalue for test in tests)


def found(row):
    return row["lift_low"], row["lift_high"], row["p_value"]


def test_conversion_is_newcombes_interval_and_the_score_test(rows, users):
    counts = users[0]["converted"].sum(), 1800, users[1]["converted"].sum(), 200
    low, high = confint_proportions_2indep(*counts, method="newcomb")
    p_value = proportion.test_proportions_2indep(*counts, method="score").pvalue
    row = row_of(rows, "conversion", "loyal", "coupon")
    assert found(row) == pytest.approx((low, high, p_value))
    assert row["lift"] == pytest.approx(counts[0] / 1800 - counts[2] / 200)


def test_conversion_of_few_is_fishers_exact_test():
    rows = measure_lifts(
        [side("s", "a", True, [1.0] * 9 + [0.0] * 441), side("s", "a", False, [1.0] * 4 + [0.0] * 46)], CONFIG
    )
    assert row_of(rows, "conversion", "s", "a")["p_value"] == stats.fisher_exact([[9, 441], [4, 46]]).pvalue


@pytest.mark.parametrize(("measure", "values"), [("revenue", "revenue"), ("active_days", "active")])
def test_means_are_the_wider_of_welch_and_student(rows, users, measure, values):
    row = row_of(rows, measure, "loyal", "coupon")
    assert found(row) == pytest.approx(wider(users[0][values], users[1][values]))
    assert row["treated"] == pytest.approx(users[0][values].mean())


def test_ratings_are_compared_over_who_rated(rows, users):
    row = row_of(rows, "rating", "loyal", "coupon")
    assert (row["treated_users"], row["control_users"]) == (300, 40)
    assert found(row) == pytest.approx(wider(users[2], users[3]))


def test_a_small_side_that_varies_little_is_not_believed():
    one, other = np.random.default_rng(0).lognormal(0, 1.5, 900), np.full(20, 0.4) + np.arange(20) / 100
    row = row_of(measure_lifts([side("s", "a", True, one), side("s", "a", False, other)], CONFIG), "revenue")
    assert stats.ttest_ind(one, other, equal_var=False).pvalue < 1e-6
    assert row["p_value"] == pytest.approx(stats.ttest_ind(one, other).pvalue)


def test_a_side_that_varies_more_is_not_believed_either():
    rng = np.random.default_rng(0)
    one, other = rng.normal(10.2, 0.5, 900), rng.normal(10, 8, 100)
    row = row_of(measure_lifts([side("s", "a", True, one), side("s", "a", False, other)], CONFIG), "revenue")
    assert row["p_value"] == pytest.approx(stats.ttest_ind(one, other, equal_var=False).pvalue)


def test_cuped_is_the_test_of_explicitly_adjusted_values(rows, users):
    paid, before = ([side_users[name] for side_users in users[:2]] for name in ("revenue", "before"))
    products = sum(np.cov(y, x)[0, 1] * (len(x) - 1) for y, x in zip(paid, before, strict=True))
    theta = products / sum(np.var(x) * len(x) for x in before)
    centre = np.concatenate(before).mean()
    adjusted = [y - theta * (x - centre) for y, x in zip(paid, before, strict=True)]
    row = row_of(rows, "revenue_cuped", "loyal", "coupon")
    assert found(row) == pytest.approx(wider(*adjusted))
    assert (row["treated"], row["control"]) == pytest.approx(tuple(map(np.mean, adjusted)))


def test_cuped_narrows_the_interval_by_what_spending_before_explains():
    rng = np.random.default_rng(5)
    before = rng.gamma(2, 10, 4000)
    after = 0.8 * before + rng.normal(0, 5, 4000)
    made = [
        side("s", "a", side_, after[cut], before=before[cut])
        for side_, cut in ((True, slice(400, None)), (False, slice(400)))
    ]
    rows = measure_lifts(made, CONFIG)
    plain, cuped = (row_of(rows, measure, "s", "a") for measure in ("revenue", "revenue_cuped"))
    narrowed = (cuped["lift_high"] - cuped["lift_low"]) / (plain["lift_high"] - plain["lift_low"])
    assert narrowed == pytest.approx(math.sqrt(1 - np.corrcoef(before, after)[0, 1] ** 2), rel=0.02)


def test_nobody_spent_before_leaves_revenue_as_it_is():
    made = [side("s", "a", True, [5.0, 0, 3] * 40), side("s", "a", False, [1.0, 0, 4] * 20)]
    rows = measure_lifts(made, CONFIG)
    assert found(row_of(rows, "revenue_cuped", "s", "a")) == pytest.approx(found(row_of(rows, "revenue", "s", "a")))


@pytest.fixture(scope="module")
def campaign():
    """Three segments by two actions, one of which works in one segment and one harms in another."""
    rng, shop = np.random.default_rng(11), Shop(rate=0.1)
    effects = {("a", "x"): 0.05, ("b", "y"): -0.07}
    return [
        row
        for segment in "abc"
        for action in "xy"
        for row in shop.pair(rng, segment, action, (4500, 500), more_orders=effects.get((segment, action), 0.0))
    ]


@pytest.mark.parametrize("measure", MEASURES)
def test_half_of_the_level_is_for_the_whole_and_half_for_the_parts_by_holm(campaign, measure):
    rows = [row for row in measure_lifts(campaign, CONFIG) if row["measure"] == measure]
    whole = row_of(rows, measure)
    parts = [row for row in rows if row is not whole]
    assert len(parts) == 3 * 2 + 3 + 2
    holm = multipletests([row["p_value"] for row in parts], method="holm")[1]
    assert [row["p_adjusted"] for row in parts] == pytest.approx(list(np.minimum(1, 2 * holm)))
    assert whole["p_adjusted"] == pytest.approx(min(1, 2 * whole["p_value"]))


def test_rows_about_the_same_users_count_as_one():
    rng, shop = np.random.default_rng(4), Shop()
    one = measure_lifts(shop.pair(rng, "s", "a", (900, 100)), CONFIG)
    assert all(row["p_adjusted"] == row["p_value"] for row in one if row["measure"] == "conversion")
    rows = measure_lifts(shop.pair(rng, "s", "a", (900, 100)) + shop.pair(rng, "t", "a", (900, 100)), CONFIG)
    adjusted = {(row["segment_name"], row["action"]): row for row in rows if row["measure"] == "conversion"}
    for segment in "st":
        assert adjusted[segment, "a"]["p_adjusted"] == adjusted[segment, "all"]["p_adjusted"]
    least = min(adjusted[segment, "a"]["p_value"] for segment in "st")
    assert min(adjusted[segment, "a"]["p_adjusted"] for segment in "st") == pytest.approx(min(1, 2 * 2 * least))


def test_what_works_is_told_from_what_harms(campaign):
    rows = measure_lifts(campaign, CONFIG)
    assert row_of(rows, "conversion", "a", "x")["verdict"] == "works"
    assert row_of(rows, "conversion", "b", "y")["verdict"] == "harms"
    assert row_of(rows, "conversion", "c", "x")["verdict"] == "inconclusive"


def test_every_segment_and_action_has_a_row_with_the_columns_of_the_table(campaign):
    rows = measure_lifts(campaign, CONFIG)
    assert len(rows) == (3 + 1) * (2 + 1) * len(MEASURES)
    assert {frozenset(row) for row in rows} == {frozenset(CAMPAIGN_LIFT.names)}
    assert len({(row["segment_name"], row["action"], row["measure"]) for row in rows}) == len(rows)


def test_no_order_of_the_evidence_changes_a_bit(campaign):
    shuffled = [campaign[index] for index in np.random.default_rng(0).permutation(len(campaign))]
    assert measure_lifts(shuffled, CONFIG) == measure_lifts(campaign, CONFIG)


def test_days_and_campaigns_are_added_up_and_kept_apart(campaign):
    later = [Evidence("autumn", row.starts_on, row.segment_name, row.action, row.treated, row.sums) for row in campaign]
    next_day = [side("a", "x", True, [7.0], starts_on=STARTS_ON.replace(day=2))]
    rows = measure_lifts(later + campaign + next_day, CONFIG)
    users = {
        r["campaign_id"]: r["treated_users"]
        for r in rows
        if (r["segment_name"], r["action"]) == ("a", "x") and r["measure"] == "revenue"
    }
    assert users == {"autumn": 4500, "spring": 4501}


def test_least_detectable_of_shares_has_the_stated_power_by_statsmodels(campaign):
    rows = measure_lifts(campaign, CONFIG)
    for row, level in ((row_of(rows, "conversion"), 0.025), (row_of(rows, "conversion", "a", "x"), 0.025 / 11)):
        ratio = row["control_users"] / row["treated_users"]
        chance = power_proportions_2indep(row["least_detectable"], row["control"], row["treated_users"], ratio, level)
        assert chance.power == pytest.approx(0.8, abs=1e-4)


def test_least_detectable_of_ratings_has_the_stated_power_by_the_non_central_t():
    rng = np.random.default_rng(6)
    one, other = rng.integers(1, 6, 900).astype(float), rng.integers(1, 6, 100).astype(float)
    made = [side("s", "a", treated, ratings=values) for treated, values in ((True, one), (False, other))]
    row = row_of(measure_lifts(made, CONFIG), "rating")
    welch = stats.ttest_ind(one, other, equal_var=False), math.sqrt(one.var(ddof=1) / 900 + other.var(ddof=1) / 100)
    variance = (899 * one.var(ddof=1) + 99 * other.var(ddof=1)) / 998
    student = stats.ttest_ind(one, other), math.sqrt(variance * (1 / 900 + 1 / 100))
    powers = [
        ttest_power(row["least_detectable"] / error, 1, 0.05 / 2, df=test.df, alternative="larger")
        for test, error in (welch, student)
    ]
    assert min(powers) == pytest.approx(0.8, abs=1e-4)


def test_least_detectable_of_money_is_more_than_that_of_a_shift_and_near_it_where_it_is_small():
    rng = np.random.default_rng(6)
    paid = rng.gamma(0.5, 20, 2000)
    row = row_of(measure_lifts([side("s", "a", True, paid), side("s", "a", False, paid[:200])], CONFIG), "revenue")
    shift = 2.8 * math.sqrt(paid.var() / 2000 + paid.var() / 200)
    assert shift < row["least_detectable"] < 1.3 * shift
    large = [side("s", "a", True, np.tile(paid, 100)), side("s", "a", False, np.tile(paid, 10))]
    assert row_of(measure_lifts(large, CONFIG), "revenue")["least_detectable"] == pytest.approx(
        2.8 * math.sqrt(paid.var() / 200_000 + paid.var() / 20_000), rel=0.03
    )


def test_equal_shares_of_held_out_users_are_added_up_whatever_the_segments_are_like():
    rng = np.random.default_rng(2)
    made = Shop(rate=0.02).pair(rng, "poor", "x", (9000, 1000)) + Shop(rate=0.4).pair(rng, "rich", "x", (900, 100))
    row = row_of(measure_lifts(made, CONFIG), "conversion")
    counts = [
        sum(getattr(e.sums, n) for e in made if e.treated is t) for t in (True, False) for n in ("converted", "users")
    ]
    assert row["method"] == "holdout"
    assert found(row)[:2] == pytest.approx(confint_proportions_2indep(*counts, method="newcomb"))


def test_unequal_shares_are_compared_within_segments_and_not_added_up():
    """Half of the rich held out and a twentieth of the poor: sums say that a campaign without effect harms."""
    rng = np.random.default_rng(2)
    rich, poor = Shop(rate=0.4), Shop(rate=0.02)
    made = rich.pair(rng, "rich", "x", (1000, 1000)) + poor.pair(rng, "poor", "x", (9500, 500))
    row = row_of(measure_lifts(made, CONFIG), "conversion")
    assert (row["method"], row["verdict"]) == ("strata", "inconclusive")
    shares = {(e.segment_name, e.treated): e.sums.converted / e.sums.users for e in made}
    gaps = [shares[name, True] - shares[name, False] for name in ("rich", "poor")]
    assert row["lift"] == pytest.approx((1000 * gaps[0] + 9500 * gaps[1]) / 10500)
    assert (
        sum(e.sums.converted for e in made if e.treated) / 10500
        < 0.5 * sum(e.sums.converted for e in made if not e.treated) / 1500
    )


def test_the_interval_over_strata_holds_as_often_as_it_says():
    rng = np.random.default_rng(8)
    holds = 0
    for _ in range(2000):
        rich = rng.normal(5.0, 2.0, 60), rng.normal(4.0, 1.0, 60)
        poor = rng.normal(2.0, 1.0, 190), rng.normal(1.0, 0.5, 10)
        pairs = [tuple(moments(len(x), x.sum(), (x * x).sum()) for x in pair) for pair in (rich, poor)]
        effect = compare_means(pairs, 0.05)
        holds += effect.low <= 1.0 <= effect.high
    assert holds / 2000 >= 0.94


BAD = {
    "no holdout": [side("s", "a", True, [1.0, 0, 2])],
    "nobody contacted": [side("s", "a", False, [1.0, 0, 2])],
    "one user a side": [side("s", "a", True, [1.0]), side("s", "a", False, [0.0])],
    "nobody at all": [Evidence("spring", STARTS_ON, "s", "a", side_, Sums()) for side_ in (True, False)],
    "all ordered the same": [side("s", "a", True, [5.1] * 90), side("s", "a", False, [5.1] * 10)],
    "nobody ordered": [side("s", "a", True, [0.0] * 90), side("s", "a", False, [0.0] * 10)],
    "each side alike": [side("s", "a", True, [7.3] * 90), side("s", "a", False, [5.1] * 10)],
}  # fmt: skip


@pytest.mark.parametrize("made", BAD.values(), ids=BAD)
def test_where_no_test_is_possible_the_verdict_is_too_few_and_nothing_is_nan(made):
    rows = measure_lifts(made, CONFIG)
    assert {row["verdict"] for row in rows if row["measure"] != "conversion"} == {"too few"}
    assert row_of(rows, "conversion")["p_value"] is None
    assert not any(isinstance(value, float) and not math.isfinite(value) for row in rows for value in row.values())


def test_a_variance_that_rounding_makes_negative_is_none():
    sums = Sums(users=3, revenue=0.3, revenue_squares=0.03 - 1e-17, before=0.3, before_squares=0.029, products=0.03)
    made = [Evidence("spring", STARTS_ON, "s", "a", treated, sums) for treated in (True, False)]
    rows = measure_lifts(made, CONFIG)
    assert {row_of(rows, measure)["verdict"] for measure in ("revenue", "revenue_cuped")} == {"too few"}


def test_no_evidence_is_no_row():
    assert measure_lifts([], CONFIG) == []
