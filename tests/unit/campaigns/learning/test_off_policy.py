"""Values of policies that were not followed: by hand, and over simulated logs in which they are known."""

import math

import numpy as np
import pytest

from segspark.campaigns.config import LearningConfig
from segspark.campaigns.learning.off_policy import (
    LogSums,
    log_sums,
    log_sums_of,
    rewards_of,
    shares_of,
    value_rows,
    values_of,
)
from segspark.campaigns.learning.shares import Money, next_strategy
from segspark.core.campaign_tables import STRATEGY_VALUES
from tests.unit.campaigns.learning.rows import both, week

AB, A = ("a", "b"), ("a",)
# segment, action, allowed, propensity, reward
LOG = [
    ("s", "a", AB, 0.8, 1.0),
    ("s", "a", AB, 0.8, 0.0),
    ("s", "a", AB, 0.5, 4.0),
    ("s", "b", AB, 0.2, 3.0),
    ("s", "b", AB, 0.5, 0.0),
    ("s", "a", A, 1.0, 5.0),
    ("t", "a", A, 1.0, 2.0),
]
SHARES = {("s", "a"): 0.25, ("s", "b"): 0.75, ("t", "a"): 1.0}
MODEL = {("s", "a"): 1.5, ("s", "b"): 1.0, ("t", "a"): 3.0}


def sums_of(rows):
    """What `log_sums` gives, in numpy."""
    cells = {}
    for segment, action, allowed, propensity, reward in rows:
        cells.setdefault((segment, action, allowed), []).append((propensity, reward))
    made = []
    for cell, seen in cells.items():
        p, r = (np.array(column, dtype=float) for column in zip(*seen, strict=True))
        powers = r, r**2, 1 / p, 1 / p**2, r / p, r / p**2, r**2 / p**2
        made.append(LogSums(*cell, 0, len(p), *[float(x.sum()) for x in powers]))
    return made


def by_estimator(values):
    return {one.estimator: one for one in values}


def test_four_estimates_by_hand():
    found = by_estimator(values_of(sums_of(LOG), SHARES, MODEL))
    w = [0.25 / 0.8, 0.25 / 0.8, 0.25 / 0.5, 0.75 / 0.2, 0.75 / 0.5, 1.0, 1.0]
    r = [row[4] for row in LOG]
    assert found["mean"].value == pytest.approx(15 / 7)
    assert found["ips"].value == pytest.approx(sum(x * y for x, y in zip(w, r, strict=True)) / 7)
    snips = sum(x * y for x, y in zip(w, r, strict=True)) / sum(w)
    assert found["snips"].value == pytest.approx(snips)
    m = [0.25 * 1.5 + 0.75 * 1.0] * 5 + [1.5, 3.0]  # who could get a only, is expected to bring what a does
    q = [1.5, 1.5, 1.5, 1.0, 1.0, 1.5, 3.0]
    robust = [a + b * (c - d) for a, b, c, d in zip(m, w, r, q, strict=True)]
    assert found["doubly_robust"].value == pytest.approx(np.mean(robust))
    terms = {"mean": r, "ips": [x * y for x, y in zip(w, r, strict=True)], "doubly_robust": robust}
    for estimator, term in terms.items():
        half = 1.959964 * np.std(term, ddof=1) / math.sqrt(7)
        assert found[estimator].high - found[estimator].value == pytest.approx(half, rel=1e-6)
    error = math.sqrt(sum((x * (y - snips)) ** 2 for x, y in zip(w, r, strict=True))) / sum(w)
    assert found["snips"].value - found["snips"].low == pytest.approx(1.959964 * error, rel=1e-6)
    assert found["ips"].effective_contacts == pytest.approx(sum(w) ** 2 / sum(x * x for x in w))
    assert found["mean"].effective_contacts == 7


def test_the_log_s_own_policy_has_the_log_s_own_mean():
    rows = [("s", action, AB, 0.5, reward) for action, reward in (("a", 1.0), ("a", 0.0), ("b", 3.0), ("b", 2.0))]
    found = by_estimator(values_of(sums_of(rows), {("s", "a"): 0.5, ("s", "b"): 0.5}, {}))
    assert {one.value for one in found.values()} == {1.5}
    assert found["ips"].effective_contacts == 4


def test_the_log_s_own_policy_has_its_mean_where_half_the_users_could_get_one_action_only():
    rows = [("s", "a", A, 1.0, reward) for reward in (4.0, 2.0)]
    rows += [("s", "a", AB, 0.5, 1.0), ("s", "b", AB, 0.5, 3.0)]
    found = by_estimator(values_of(sums_of(rows), {("s", "a"): 0.5, ("s", "b"): 0.5}, {}))
    assert {one.value for one in found.values()} == {2.5}
    assert found["ips"].effective_contacts == 4  # each weighs 1


def test_spark_adds_up_contacts_and_leaves_out_what_has_no_propensity_or_no_known_choice(spark):
    rows = [(*row, True) for row in LOG]
    unknown = [("a", AB, None, True), ("a", None, 0.5, True), ("a", ("b",), 0.5, True), ("a", AB, 0.5, False)]
    rows += [("s", action, allowed, p, 9.0, treated) for action, allowed, p, treated in unknown]
    schema = (
        "campaign_id string, segment_name string, action string, allowed array<string>, propensity double,"
        " revenue double, treated boolean"
    )
    twice = [(name, *r[:2], r[2] and list(r[2]), *r[3:]) for name in ("july", "august") for r in rows]
    responses = spark.createDataFrame(twice, schema)
    log = [log_sums_of(row) for row in log_sums(responses.repartition(3), "revenue").collect()]
    again = [log_sums_of(row) for row in log_sums(responses.coalesce(1), "revenue").collect()]
    assert sorted(map(repr, log)) == sorted(map(repr, again))
    assert sum(sums.contacts for sums in log) == 14 and len(log) == 2 * 6  # each campaign by itself
    found, expected = values_of(log, SHARES, MODEL), values_of(sums_of(LOG * 2), SHARES, MODEL)
    for one, other in zip(found, expected, strict=True):
        assert (one.value, one.low, one.high) == pytest.approx((other.value, other.low, other.high))
        assert (one.contacts, one.left_out) == (14, 6)
    assert values_of(log[::-1], SHARES, MODEL) == found


def test_a_segment_that_the_policy_does_not_contact_is_left_out():
    found = by_estimator(values_of(sums_of(LOG), {("t", "a"): 1.0, ("s", "a"): 0.0}, MODEL))
    assert found["mean"].value == found["ips"].value == 2.0
    assert found["mean"].contacts == 1 and found["mean"].left_out == 6


def test_users_who_could_only_get_what_is_stopped_are_left_out():
    found = by_estimator(values_of(sums_of(LOG), {("s", "a"): 0.0, ("s", "b"): 1.0}, MODEL))
    assert found["mean"].contacts == 5 and found["mean"].left_out == 2
    assert found["ips"].value == pytest.approx(3.0 / 0.2 / 5)


def test_the_share_of_actions_that_were_never_logged_is_told():
    rows = [("s", "a", ("a", "new"), 1.0, 1.0)] * 3 + [("s", "a", A, 1.0, 1.0), ("t", "a", A, 1.0, 1.0)]
    shares = {("s", "a"): 0.2, ("s", "b"): 0.5, ("s", "new"): 0.3, ("t", "a"): 1.0}
    found = by_estimator(values_of(sums_of(rows), shares, MODEL))
    assert found["ips"].unseen == pytest.approx(0.6 * 3 / 5)  # .3 of the .5 that are left where b is not allowed
    assert found["mean"].unseen == 0.0


def test_without_a_contact_that_has_a_propensity_there_is_no_value():
    assert values_of([], SHARES, MODEL) == []
    for allowed in (None, AB):
        assert values_of([LogSums("s", "a", allowed, 7, 0, *[0.0] * 7)], SHARES, MODEL) == []


TRUE = {"a": 0.1, "b": 0.3, "c": 0.2}
WANTED = {("s", "a"): 0.05, ("s", "b"): 0.9, ("s", "c"): 0.05}
CHOICES = {("a", "b", "c"): 0.6, ("a", "c"): 0.3, ("b", "c"): 0.1}  # what users could get, and the shares of these


def wanted_value(choice):
    total = sum(WANTED["s", action] for action in choice)
    return sum(WANTED["s", action] / total * TRUE[action] for action in choice)


TRUE_VALUE = sum(share * wanted_value(choice) for choice, share in CHOICES.items())


def simulated(rng, contacts=400):
    """A log whose propensities differ from contact to contact, and favour what the policy does not. A user could get
    some of the actions only; propensities are among these."""
    kind = rng.choice(len(CHOICES), contacts, p=list(CHOICES.values()))
    may = np.array([[action in choice for action in TRUE] for choice in CHOICES])[kind]
    odds = (rng.dirichlet([6.0, 2.0, 3.0], contacts) * 0.85 + 0.05) * may
    odds /= odds.sum(axis=1, keepdims=True)
    action = (rng.random((contacts, 1)) > odds.cumsum(axis=1)).sum(axis=1)
    reward = rng.random(contacts) < np.array(list(TRUE.values()))[action]
    names, choices = list(TRUE), list(CHOICES)
    chosen = odds[np.arange(contacts), action]
    columns = zip(action, kind, chosen, reward, strict=True)
    return sums_of([("s", names[n], choices[k], float(p), float(r)) for n, k, p, r in columns])


@pytest.fixture(scope="module")
def estimates():
    rng = np.random.default_rng(5)
    good = {("s", action): rate for action, rate in TRUE.items()}
    wrong = {("s", action): 2.0 - rate for action, rate in TRUE.items()}
    logs = [simulated(rng) for _ in range(200)]
    return {
        name: [by_estimator(values_of(log, WANTED, model)) for log in logs]
        for name, model in (("good", good), ("wrong", wrong))
    }


@pytest.mark.parametrize(
    ("estimator", "model"), [("ips", "good"), ("snips", "good"), ("doubly_robust", "good"), ("doubly_robust", "wrong")]
)
def test_over_two_hundred_logs_estimates_are_right_on_average_and_their_intervals_cover(estimates, estimator, model):
    found = [one[estimator] for one in estimates[model]]
    values = np.array([one.value for one in found])
    assert abs(values.mean() - TRUE_VALUE) <= 2 * values.std(ddof=1) / math.sqrt(len(values))
    assert np.mean([one.low <= TRUE_VALUE <= one.high for one in found]) >= 0.9


def test_the_logged_mean_is_no_estimate_of_another_policy(estimates):
    assert np.mean([one["mean"].low <= TRUE_VALUE <= one["mean"].high for one in estimates["good"]]) <= 0.05


def test_a_reasonable_model_narrows_and_a_wrong_one_widens(estimates):
    def spread(estimator, model):
        return np.var([one[estimator].value for one in estimates[model]])

    assert spread("doubly_robust", "good") < 0.9 * spread("ips", "good")
    assert spread("doubly_robust", "wrong") > spread("doubly_robust", "good")


def test_a_strategy_is_a_policy_with_a_model_and_rows_fill_the_table():
    evidence = [row for n in range(9) for row in both(n, (900, 270), (100, 20)) + both(n, (900, 180), (100, 20), "b")]
    strategy = next_strategy(evidence, {"s": ["a", "b"]}, {}, Money({}, {}), LearningConfig(), week(9), 7)
    shares, rewards = shares_of(strategy), rewards_of(strategy)
    assert sum(shares.values()) == pytest.approx(1.0) and rewards["s", "a"] == pytest.approx(0.3, abs=0.01)
    rows = value_rows(
        values_of(sums_of([("s", "a", AB, 0.5, 1.0), ("s", "b", AB, 0.5, 0.0)]), shares, rewards), "value"
    )
    assert all(set(row) == set(STRATEGY_VALUES.names) - {"run_id"} for row in rows)
    assert [(row["policy"], row["estimator"]) for row in rows] == [
        ("logged", "mean"), ("next", "ips"), ("next", "snips"), ("next", "doubly_robust"),
    ]  # fmt: skip
