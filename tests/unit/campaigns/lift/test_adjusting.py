"""A campaign that went to who spends much anyway: what weights recover, and what they say they cannot."""

import math

import numpy as np
import pandas as pd
import pytest
import statsmodels.api as sm
from sklearn.linear_model import LogisticRegression

from segspark.campaigns.config import LiftConfig
from segspark.campaigns.lift.adjusting import adjust_campaign, judge_weighted
from segspark.campaigns.lift.propensity import fit_propensity, propensity_sample, with_weights
from segspark.campaigns.lift.weighting import compare_weighted, side_of, weighted_sums
from segspark.core.contracts import CAMPAIGN_BALANCE, CAMPAIGN_CHECKS, CAMPAIGN_LIFT
from tests.unit.campaigns.lift.arrays import row_of

COVARIATES = ["spend_28", "orders_90", "recency_days"]
CONFIG = LiftConfig(adjust_users=4000)
MORE_ORDERS, MORE_MONEY = 0.08, 4.0


def shoppers(count: int, choice: float, seed: int) -> pd.DataFrame:
    """Who spent and came lately is chosen more often by `choice`, and orders more anyway. The effects are planted."""
    rng = np.random.default_rng(seed)
    taste = rng.normal(size=count)
    spend = np.round(np.exp(2 + 0.6 * taste + 0.4 * rng.normal(size=count)), 2)
    orders, recency = rng.poisson(np.exp(0.3 * taste)), rng.gamma(2, 15 * np.exp(-0.3 * taste))
    liking = 0.8 * (np.log1p(spend) - 2.1) + 0.3 * (orders - 1) - 0.01 * (recency - 30)
    treated = rng.random(count) < 1 / (1 + np.exp(0.7 - choice * liking))
    converted = rng.random(count) < np.clip(0.25 + 0.12 * liking, 0.02, 0.9) + MORE_ORDERS * treated
    return pd.DataFrame(
        {
            "user_id": [f"u{index}" for index in range(count)],
            "segment_name": np.where(rng.random(count) < 0.5, "loyal", "economy"),
            "treated": treated,
            "converted": converted,
            "revenue": np.round(np.maximum(0, 12 + 8 * liking + rng.normal(0, 3, count)) + MORE_MONEY * treated, 2),
            "active_days": rng.binomial(14, 1 / (1 + np.exp(1 - 0.4 * liking))),
            "spend_28": spend,
            "orders_90": orders,
            "recency_days": recency,
        }
    )


@pytest.fixture(scope="module")
def chosen():
    return shoppers(4000, choice=1.0, seed=1)


@pytest.fixture(scope="module")
def people(spark, chosen):
    return spark.createDataFrame(chosen).cache()


@pytest.fixture(scope="module")
def adjusted(people):
    return adjust_campaign("spring", people, COVARIATES, CONFIG, seed=3)


@pytest.mark.parametrize(
    ("measure", "column", "truth"), [("conversion", "converted", 0.08), ("revenue", "revenue", 4.0)]
)
def test_weights_recover_the_planted_effect_where_the_plain_difference_does_not(
    adjusted, chosen, measure, column, truth
):
    row = row_of(adjusted.lifts, measure)
    means = chosen.groupby("treated")[column].mean()
    assert means[True] - means[False] > row["lift_high"] > truth
    assert row["lift_low"] <= truth <= row["lift_high"]
    assert (row["method"], row["verdict"]) == ("weighting", "works")


def test_what_the_campaign_did_not_change_is_not_called_an_effect(adjusted, chosen):
    means = chosen.groupby("treated")["active_days"].mean()
    assert means[True] - means[False] > 0.3
    assert row_of(adjusted.lifts, "active_days")["verdict"] == "inconclusive"


def test_weights_are_the_odds_of_scikit_learns_regression(people, chosen):
    sample = propensity_sample(people, COVARIATES, 10_000, 3).toPandas()
    values = chosen[COVARIATES].to_numpy(dtype=float)
    values = np.clip(values, *np.quantile(values, [0.01, 0.99], axis=0))
    features = np.concatenate([values, np.log1p(values)], axis=1)
    features = (features - features.mean(axis=0)) / features.std(axis=0)
    model = LogisticRegression(max_iter=1000).fit(features, chosen["treated"])
    chance = np.minimum(model.predict_proba(features)[:, 1], 0.95)
    expected = np.where(chosen["treated"], 1.0, chance / (1 - chance))
    weighted = with_weights(people, fit_propensity(sample, COVARIATES)).select("user_id", "weight").toPandas()
    found = weighted.set_index("user_id")["weight"].loc[chosen["user_id"]]
    assert len(sample) == len(chosen)
    assert found.to_numpy() == pytest.approx(expected, rel=2e-3)


def test_no_outlier_stands_for_dozens(people):
    """Of one who spent ten times what the next do, a slope fitted to others says that they were sure to be chosen."""
    sample = propensity_sample(people, COVARIATES, 4000, 3).toPandas()
    weights = with_weights(people, fit_propensity(sample, COVARIATES)).where("NOT treated").select("weight").toPandas()
    assert weights["weight"].max() < 20 * weights["weight"].mean()


@pytest.mark.parametrize("column", ["converted", "revenue", "active_days"])
def test_the_interval_has_the_error_of_weighted_least_squares_with_hc1(people, column):
    sample = propensity_sample(people, COVARIATES, 4000, 3).toPandas()
    weighted = with_weights(people, fit_propensity(sample, COVARIATES))
    users = weighted.select("treated", "weight", column).toPandas()
    design = sm.add_constant(users["treated"].astype(float))
    model = sm.WLS(users[column].astype(float), design, weights=users["weight"]).fit(cov_type="HC1")
    rows = weighted_sums(weighted, COVARIATES).collect()
    effect = compare_weighted(side_of(rows, True), side_of(rows, False), column, 0.05)
    assert effect.lift == pytest.approx(model.params["treated"])
    low, high = model.conf_int().loc["treated"]
    assert (effect.low, effect.high) == pytest.approx((low, high), abs=0.005 * (high - low))
    assert effect.p_value == pytest.approx(model.pvalues["treated"], rel=0.05, abs=1e-6)


def test_the_balance_table_tells_the_differences_before_and_after(adjusted, chosen):
    assert [row["covariate"] for row in adjusted.balance] == COVARIATES
    for row in adjusted.balance:
        one, other = (chosen.loc[chosen["treated"] == side, row["covariate"]] for side in (True, False))
        deviation = math.sqrt((one.var() + other.var()) / 2)
        assert row["smd_before"] == pytest.approx((one.mean() - other.mean()) / deviation, rel=1e-5)
        assert abs(row["smd_before"]) > 0.2 > 0.1 > abs(row["smd_after"])


def test_rows_have_the_columns_of_their_tables_and_a_segment_each(adjusted):
    assert {frozenset(row) for row in adjusted.lifts} == {frozenset(CAMPAIGN_LIFT.names)}
    assert {frozenset(row) for row in adjusted.checks} == {frozenset(CAMPAIGN_CHECKS.names)}
    assert {frozenset(row) for row in adjusted.balance} == {frozenset(CAMPAIGN_BALANCE.names)}
    keys = {(row["segment_name"], row["action"]) for row in adjusted.lifts}
    assert keys == {("loyal", "all"), ("economy", "all"), ("all", "all")}
    assert len(adjusted.lifts) == 9


def test_it_says_that_there_is_no_random_holdout(adjusted):
    check = {row["check"]: row for row in adjusted.checks}
    assert check["random holdout"]["passed"] is False
    assert "no random holdout" in check["random holdout"]["note"]
    assert check["balance"]["passed"] and check["effective users"]["passed"]
    assert 50 < check["effective users"]["value"] < 4000


def test_no_partitioning_and_order_of_rows_changes_a_bit(spark, chosen, adjusted):
    shuffled = spark.createDataFrame(chosen.sample(frac=1.0, random_state=5)).repartition(5, "revenue")
    assert adjust_campaign("spring", shuffled, COVARIATES, CONFIG, seed=3) == adjusted


def test_what_weights_cannot_balance_is_inconclusive_and_named(spark):
    """Only who spent more than 10 got the campaign: nobody else is like them."""
    made = shoppers(1500, choice=1.0, seed=2)
    made["treated"] = made["spend_28"] > 10
    found = adjust_campaign("spring", spark.createDataFrame(made), COVARIATES, CONFIG, seed=3)
    assert {row["verdict"] for row in found.lifts} == {"inconclusive"}
    check = {row["check"]: row for row in found.checks}
    assert not check["balance"]["passed"]
    assert "spend_28" in check["balance"]["note"] and "spend_28" in check["random holdout"]["note"]


@pytest.mark.parametrize("side", [True, False])
def test_a_campaign_for_everybody_or_nobody_is_too_few(spark, side):
    made = shoppers(60, choice=1.0, seed=2).assign(treated=side)
    found = adjust_campaign("spring", spark.createDataFrame(made), COVARIATES, CONFIG, seed=3)
    assert {row["verdict"] for row in found.lifts} == {"too few"}
    numbers = [value for row in found.lifts + found.balance for value in row.values() if isinstance(value, float)]
    assert all(map(math.isfinite, numbers))


def test_nobody_at_all_is_too_few():
    found = judge_weighted("spring", [], COVARIATES, CONFIG)
    assert {row["verdict"] for row in found.lifts} == {"too few"}


def test_a_campaign_of_a_dozen_who_all_ordered_has_no_verdict(spark):
    made = shoppers(1500, choice=0.0, seed=4)
    made["treated"] = np.arange(1500) < 12
    made["converted"] |= made["treated"]
    found = adjust_campaign("spring", spark.createDataFrame(made), COVARIATES, CONFIG, seed=3)
    assert row_of(found.lifts, "conversion")["verdict"] == "too few"
    assert row_of(found.lifts, "revenue")["verdict"] == "inconclusive"
    check = {row["check"]: row for row in found.checks}
    assert not check["effective users"]["passed"] and check["effective users"]["value"] == 12


def test_a_campaign_from_before_the_logs_has_no_verdict_though_all_covariates_are_equal(people):
    short = adjust_campaign("spring", people, COVARIATES, CONFIG, seed=3, known_days=CONFIG.before_days - 1)
    assert {row["verdict"] for row in short.lifts} == {"inconclusive"}
    check = {row["check"]: row for row in short.checks}
    assert not check["days before"]["passed"] and "27 days before the campaign" in check["days before"]["note"]
    enough = adjust_campaign("spring", people, COVARIATES, CONFIG, seed=3, known_days=CONFIG.before_days)
    assert row_of(enough.lifts, "conversion")["verdict"] == "works"
