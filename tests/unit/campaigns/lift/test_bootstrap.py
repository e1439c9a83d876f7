import subprocess
import sys

import numpy as np
import pytest
from scipy import stats

from segspark.campaigns.config import LiftConfig
from segspark.campaigns.lift.bootstrap import bootstrap_difference, bootstrap_revenue, group_seed

SCHEMA = "campaign_id string, user_id string, segment_name string, action string, treated boolean, revenue double"


@pytest.fixture(scope="module")
def users():
    """Two segments: 700 users of one, 60 of the other, a tenth held out."""
    rng, rows = np.random.default_rng(1), []
    for segment, count in (("loyal", 700), ("economy", 60)):
        for index in range(count):
            paid = float(rng.gamma(2.0, 10.0)) if rng.random() < 0.4 else None
            rows.append(("spring", f"{segment}{index}", segment, "coupon", index % 10 != 0, paid))
    return rows


def intervals(frame, config, seed=7):
    found = bootstrap_revenue(frame, config, seed).collect()
    return {(row.segment_name, row.action): (row.bootstrap_low, row.bootstrap_high) for row in found}


def test_large_samples_have_the_interval_of_the_normal_distribution():
    rng = np.random.default_rng(2)
    one, other = rng.gamma(2, 10, 6000), rng.gamma(2, 9, 5000)
    low, high = bootstrap_difference(one, other, 4000, 0.05, seed=3)
    error = np.sqrt(one.var() / 6000 + other.var() / 5000)
    gap = one.mean() - other.mean()
    assert (low, high) == pytest.approx((gap - 1.96 * error, gap + 1.96 * error), abs=0.1 * error)


def test_a_small_sample_has_the_percentiles_of_all_its_resamples():
    """Three against two users: 27 x 4 resamples, all equally likely."""
    one, other = np.array([0.0, 3.0, 9.0]), np.array([1.0, 2.0])
    all_means = [np.mean(pick) for pick in np.array(np.meshgrid(one, one, one)).reshape(3, -1).T]
    others = [np.mean(pick) for pick in np.array(np.meshgrid(other, other)).reshape(2, -1).T]
    gaps = np.subtract.outer(all_means, others).ravel()
    found = bootstrap_difference(one, other, 10_000, 0.2, seed=1)
    assert found == pytest.approx(tuple(np.quantile(gaps, [0.1, 0.9])), abs=0.5)


@pytest.mark.parametrize("other", [[], [1.0], [5.0, 5.0]])
def test_where_nothing_can_vary_there_is_no_interval(other):
    assert bootstrap_difference(np.array([5.0, 5.0, 5.0]), np.array(other), 100, 0.05, seed=1) is None


def test_groups_have_seeds_of_their_own_on_every_machine():
    seeds = {group_seed(*key, 7) for key in (("a", "b", "c"), ("ab", "", "c"), ("a", "bc", ""))}
    assert len(seeds) == 3
    assert group_seed("a", "b", "c", 7) != group_seed("a", "b", "c", 8)


def test_no_partitioning_and_order_of_rows_changes_an_interval(spark, users):
    config = LiftConfig(bootstrap_samples=200)
    one = intervals(spark.createDataFrame(users, SCHEMA), config)
    shuffled = [users[index] for index in np.random.default_rng(0).permutation(len(users))]
    other = intervals(spark.createDataFrame(shuffled, SCHEMA).repartition(5, "revenue"), config)
    assert one == other
    assert set(one) == {(segment, action) for segment in ("loyal", "economy", "all") for action in ("coupon", "all")}
    assert all(low is not None and low < high for low, high in one.values())


def test_intervals_from_spark_are_those_of_the_users_and_groups_with_too_many_are_null(spark, users):
    config = LiftConfig(bootstrap_samples=200, bootstrap_users=100)
    found = intervals(spark.createDataFrame(users, SCHEMA), config)
    own = sorted((user, treated, paid or 0.0) for _, user, segment, _, treated, paid in users if segment == "economy")
    sides = [np.array([paid for _, side, paid in own if side is treated]) for treated in (True, False)]
    expected = bootstrap_difference(*sides, 200, 0.05, group_seed("spring", "economy", "coupon", 7))
    assert found["economy", "coupon"] == expected
    assert found["loyal", "coupon"] == found["all", "all"] == (None, None)


def test_no_samples_leave_the_bootstrap_out(spark, users):
    found = intervals(spark.createDataFrame(users, SCHEMA), LiftConfig(bootstrap_samples=0))
    assert set(found.values()) == {(None, None)}


def test_executors_need_no_other_library_than_numpy_pandas_and_scipy():
    heavy = "('pydantic', 'statsmodels', 'sklearn', 'yaml')"
    code = f"import sys, segspark.campaigns.lift.bootstrap; print([name for name in {heavy} if name in sys.modules])"
    found = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert found.stdout.strip() == "[]"


def test_the_interval_holds_about_as_often_as_it_says():
    rng = np.random.default_rng(4)
    holds = 0
    for seed in range(300):
        one, other = rng.gamma(2, 10, 200), rng.gamma(2, 10, 60)
        low, high = bootstrap_difference(one, other, 400, 0.05, seed)
        holds += low <= 0 <= high
    assert stats.binomtest(holds, 300, 0.95).pvalue > 0.001
