import numpy as np
import pyarrow as pa
import pytest
from pyspark.sql import functions as F
from sklearn.tree import DecisionTreeClassifier

from segspark.segments.reasons.importances import importances
from segspark.segments.reasons.rules import KNOWN, Bounds, Rule, counted, in_words, learn_rules
from segspark.segments.reasons.table import UNKNOWN, Features, feature_column, features_of

random = np.random.default_rng(6)


def planted(users=3000):
    """Segment 4 orders at least 4 times, of the others 9 spends under 31.2 and 5 more; age and noise say nothing."""
    frequency = random.integers(0, 9, users).astype(float)
    monetary = random.uniform(0, 100, users)
    age = random.integers(18, 80, users).astype(float)
    labels = np.where(frequency >= 4, 4, np.where(monetary < 31.2, 9, 5))
    return Features(("frequency", "monetary", "age"), np.column_stack([frequency, monetary, age]), labels)


def holding(rules, features):
    masks = [rule.holds_for(features) for rule in rules]
    pairs = zip(masks, rules, strict=True)
    return np.array([(mask.sum(), (mask & (features.labels == rule.segment_id)).sum()) for mask, rule in pairs])


def sizes_of(features):
    ids, sizes = np.unique(features.labels, return_counts=True)
    return dict(zip(ids.tolist(), sizes.tolist(), strict=True))


def test_planted_bounds_come_back_in_words():
    features = planted()
    leaves = learn_rules(features, 2, 7)
    rules, fidelity = counted(leaves, holding(leaves, features), sizes_of(features))
    told = {rule.segment_id: in_words(rule) for rule in rules}
    assert told[4] == "Orders at least 4"
    assert told[9].startswith("Orders below 4 and Money spent below 31.")
    assert told[5].startswith("Orders below 4 and Money spent at least 31.")
    assert all(rule.coverage > 0.99 and rule.precision > 0.99 for rule in rules)
    assert fidelity > 0.995


def test_every_segment_of_many_gets_a_rule_and_rules_stay_few():
    """Eight groups that a tree peels off one by one, as personas are: each has one feature that is high."""
    labels = random.integers(0, 8, 4000)
    cells = random.normal(size=(4000, 8)) + 6.0 * np.eye(8)[labels]
    features = Features(tuple("abcdefgh"), cells, labels)
    rules, fidelity = counted(leaves := learn_rules(features, 7, 7), holding(leaves, features), sizes_of(features))
    assert {rule.segment_id for rule in rules} == set(range(8))
    assert len(rules) <= 24 and fidelity > 0.95


def test_every_user_fulfils_exactly_one_rule_whatever_is_missing_and_however_bounds_are_rounded():
    cells = random.lognormal(0, 2, size=(2000, 4)) * [1, 1e-4, 1e5, 1]
    cells[:, 3] = np.round(cells[:, 3])
    cells[random.random(cells.shape) < 0.2] = UNKNOWN
    features = Features(("a", "b_share", "c", "d"), cells, random.integers(0, 5, 2000))
    rules = learn_rules(features, 4, 7)
    assert len(rules) > 8
    assert (np.sum([rule.holds_for(features) for rule in rules], axis=0) == 1).all()


def test_fidelity_is_the_accuracy_of_the_tree_where_rounding_moves_nobody():
    features = planted()
    labels = np.where(random.random(3000) < 0.1, 5, features.labels)
    features = Features(features.names, np.round(features.cells), labels)
    rules = learn_rules(features, 3, 7)
    _, fidelity = counted(rules, holding(rules, features), sizes_of(features))
    tree = DecisionTreeClassifier(max_depth=3, min_samples_leaf=15, random_state=7).fit(features.cells, labels)
    assert fidelity == pytest.approx(tree.score(features.cells, labels))


def test_coverage_and_precision_by_hand():
    rule = Rule(1, (("a", Bounds(low=2.0)),))
    ((told,), fidelity) = counted([rule], np.array([[4, 3]]), {0: 5, 1: 6})
    assert (told.coverage, told.precision, fidelity) == (3 / 6, 3 / 4, 3 / 11)


def test_a_rule_that_holds_for_nobody_is_left_out():
    assert counted([Rule(1, ())], np.array([[0, 0]]), {1: 6}) == ([], 0.0)


@pytest.mark.parametrize(
    ("bounds", "text"),
    [
        (
            {"frequency_90d": Bounds(low=4), "aov": Bounds(high=31.2)},
            "Orders, last 90 days at least 4 and Average order value below 31.2",
        ),
        ({"aov": Bounds(high=KNOWN)}, "Average order value unknown"),
        ({"aov": Bounds(low=KNOWN)}, "Average order value known"),
        ({"aov": Bounds(low=KNOWN, high=5.0)}, "Average order value known and below 5"),
        ({"aov": Bounds(low=1240.0, high=5600.0)}, "Average order value from 1,240 to below 5,600"),
        ({"refund_share": Bounds(low=0.123)}, "Share of lines returned at least 12.3%"),
        ({"gender=f": Bounds(low=1.0)}, "Gender: f"),
        ({"gender=f": Bounds(high=1.0)}, "not Gender: f"),
        ({}, "everyone"),
    ],
)
def test_rules_are_told_in_words(bounds, text):
    assert in_words(Rule(0, tuple(bounds.items()))) == text


def test_the_forest_sees_the_features_that_made_the_segments():
    found = importances(planted(), 7)
    assert list(found)[:2] == ["frequency", "monetary"]
    assert found["age"] < 0.02
    assert sum(found.values()) == pytest.approx(1.0)


def test_one_segment_or_constant_features_have_no_reasons():
    one = Features(("a",), random.normal(size=(50, 1)), np.zeros(50, int))
    nothing = Features((), np.zeros((50, 0)), random.integers(0, 2, 50))
    assert (learn_rules(one, 3, 7), importances(one, 7)) == ([], {})
    assert (learn_rules(nothing, 3, 7), importances(nothing, 7)) == ([], {})


def test_spark_and_the_sample_see_the_same_numbers(spark):
    rows = [
        ("u1", 3.0, "f"),
        ("u2", None, "m"),
        ("u3", float("nan"), None),
        ("u4", 7.0, "f"),
        ("u5", float("inf"), "x"),
    ]
    frame = spark.createDataFrame(
        [(*row, number % 2) for number, row in enumerate(rows)],
        "user_id string, aov double, gender string, segment_id int",
    )
    sample = pa.table({name: [row[name] for row in frame.collect()] for name in frame.columns})
    features = features_of(sample, ["aov"], ["gender=f"])
    assert features.cells[:, 0].tolist() == [3.0, UNKNOWN, UNKNOWN, 7.0, UNKNOWN]
    inside = frame.select(*(feature_column(name) for name in features.names)).collect()
    assert [list(row) for row in inside] == features.cells.tolist()
    rule = Rule(0, (("aov", Bounds(low=KNOWN, high=5.0)), ("gender=f", Bounds(low=1.0))))
    assert frame.where(rule.holds()).agg(F.collect_list("user_id")).first()[0] == ["u1"]
    assert rule.holds_for(features).tolist() == [True, False, False, False, False]
