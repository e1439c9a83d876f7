from datetime import date

import numpy as np
import pytest
from scipy import stats

from segspark.campaigns.lift.checks import check_campaign
from segspark.campaigns.past.counting import COUNTED, count_contacts
from segspark.core.contracts import CAMPAIGN_CHECKS
from tests.builders import at
from tests.unit.campaigns.lift.arrays import counts


def check(name, **given):
    (row,) = [row for row in check_campaign(counts(**given)) if row["check"] == name]
    return row


def test_a_campaign_that_ran_as_planned_passes_everything():
    rows = check_campaign(counts())
    assert [row["passed"] for row in rows] == [True] * 7
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
    assert "the plan holds out 14.29% of 7000 users, 10.00% were to be" in row["note"]
    assert "its effects have no verdict and teach nothing" in row["note"]
    again = check("sample ratio", treated_users=6000, holdout_share=None)
    assert again["passed"] is None and "planned by different shares" in again["note"]


@pytest.mark.parametrize("held_out", [1000, 2000])
def test_the_sample_ratio_says_that_it_tests_the_plan_and_that_lost_contacts_cannot_move_it(held_out):
    row, lossy = (check("sample ratio", control_users=held_out, delivered=made) for made in (9000, 10))
    assert row == lossy
    assert "Contacts that got lost do not move this: see delivered" in row["note"]


def test_without_a_mismatch_the_sample_ratio_is_quiet():
    held_out = np.random.default_rng(0).binomial(10_000, 0.1, 2000)
    found = [not check("sample ratio", treated_users=10_000 - n, control_users=n)["passed"] for n in map(int, held_out)]
    assert sum(found) <= stats.binom.ppf(0.999, 2000, 0.001)


@pytest.mark.parametrize(
    ("name", "given", "value"),
    [
        ("delivered", {"delivered": 7200}, 0.8),
        ("sent on the planned day", {"on_time": 8000}, 8000 / 9000),
        ("sent on the planned day", {"delivered": 8200, "on_time": 7000}, 7000 / 8200),
        ("held-out contacted", {"contaminated": 3}, 3),
        ("unknown users", {"unknown": 2}, 2),
        ("unplanned contacts", {"unplanned": 5}, 5),
    ],
)
def test_what_went_wrong_is_counted_and_does_not_pass(name, given, value):
    row = check(name, **given)
    assert (row["passed"], row["value"]) == (False, value)


def test_a_campaign_without_users_or_holdout_has_nothing_to_check():
    nothing = counts(treated_users=0, control_users=0, planned=0, delivered=0, on_time=0, windows=0)
    told = {row["check"]: (row["passed"], row["value"]) for row in check_campaign(nothing)}
    assert told["sample ratio"] == told["delivered"] == told["sent on the planned day"] == (None, None)
    assert told["windows closed"] == (True, None)
    assert check("sample ratio", holdout_share=0.0)["passed"] is None


def test_while_windows_are_open_the_check_tells_their_share_and_neither_passes_nor_fails():
    row = check("windows closed", windows=40_000, open_until=date(2024, 7, 22))
    assert (row["passed"], row["value"], row["bound"]) == (None, 0.25, 1.0)
    assert "10000 of 40000 windows have closed, the last does on 2024-07-22" in row["note"]


def test_contacts_are_counted_by_hand(spark):
    """Of five due contacts four were made, three of them on the planned day; one is not due, one was held out."""
    made = [("a", True, True), ("b", True, True), ("c", True, True), ("d", True, False), ("e", False, False)]
    rows = [("c", user, True, at("2024-06-01 10:00"), delivered, on_time) for user, delivered, on_time in made]
    rows += [("c", "f", True, at("2024-07-01 10:00"), False, False), ("c", "x", False, at("2024-06-01"), True, True)]
    contacts = spark.createDataFrame(
        rows,
        "campaign_id string, user_id string, treated boolean, starts_at timestamp, delivered boolean, on_time boolean",
    )
    outcomes = [("c", user, True) for user in ("a", "x", "stranger", "guest")] + [("c", "held", False)]
    outcomes = spark.createDataFrame(outcomes, "campaign_id string, user_id string, treated boolean")
    known = spark.createDataFrame([(user,) for user in [*"abcdefx", "guest"]], "user_id string")
    found = count_contacts(contacts, outcomes, known, date(2024, 7, 1)).collect()[0].asDict()
    plain = {"planned": 5, "delivered": 4, "on_time": 3, "contaminated": 1, "unknown": 1, "unplanned": 1}
    assert found == {"campaign_id": "c", "windows": 7, "last_day": date(2024, 7, 1), **plain}
    assert set(found) == {"campaign_id", "last_day", *COUNTED}
