import numpy as np
import pytest
from scipy import stats

from segspark.campaigns.lift.checks import check_campaign
from segspark.core.contracts import CAMPAIGN_CHECKS
from tests.unit.campaigns.lift.arrays import counts


def check(name, **given):
    (row,) = [row for row in check_campaign(counts(**given)) if row["check"] == name]
    return row


def test_a_campaign_that_ran_as_planned_passes_everything():
    rows = check_campaign(counts())
    assert [row["passed"] for row in rows] == [True] * 5
    assert {frozenset(row) for row in rows} == {frozenset(CAMPAIGN_CHECKS.names)}


@pytest.mark.parametrize("lost", [0, 30, 90, 180, 900])
def test_the_sample_ratio_is_judged_by_the_binomial_distribution(lost):
    row = check("sample ratio", treated_users=9000 - lost)
    exact = stats.binomtest(1000, 10_000 - lost, 0.1).pvalue
    assert row["value"] == pytest.approx(exact, rel=0.15, abs=0.01)
    assert row["passed"] == (exact >= 0.001)


def test_a_side_that_lost_users_is_found_and_the_note_says_what_to_do():
    row = check("sample ratio", treated_users=6000)
    assert not row["passed"]
    assert "14.29% of 7000 users are held out, planned were 10.00%" in row["note"]
    assert "do not trust the lifts" in row["note"]


def test_without_a_mismatch_the_sample_ratio_is_quiet():
    held_out = np.random.default_rng(0).binomial(10_000, 0.1, 2000)
    found = [not check("sample ratio", treated_users=10_000 - n, control_users=n)["passed"] for n in map(int, held_out)]
    assert sum(found) <= stats.binom.ppf(0.999, 2000, 0.001)


@pytest.mark.parametrize(
    ("name", "given", "value"),
    [
        ("delivered", {"delivered": 7200}, 0.8),
        ("held-out contacted", {"contaminated": 3}, 3),
        ("unknown users", {"unknown": 2}, 2),
        ("unplanned contacts", {"unplanned": 5}, 5),
    ],
)
def test_what_went_wrong_is_counted_and_does_not_pass(name, given, value):
    row = check(name, **given)
    assert (row["passed"], row["value"]) == (False, value)


def test_a_campaign_without_users_or_holdout_has_nothing_to_check():
    nothing = counts(treated_users=0, control_users=0, planned=0, delivered=0)
    told = {row["check"]: (row["passed"], row["value"]) for row in check_campaign(nothing)}
    assert told["sample ratio"] == told["delivered"] == (None, None)
    assert check("sample ratio", holdout_share=0.0)["passed"] is None
