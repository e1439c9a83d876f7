"""Lists of methods that are made up, so that every figure can be worked out by hand or by scikit-learn."""

import numpy as np
import pytest
from sklearn.metrics import ndcg_score, roc_auc_score

from segspark.recommend.config import EvaluationConfig, RecommendConfig
from segspark.recommend.interactions import BOUGHT, VIEWED
from segspark.recommend.judging.evaluation import judge_lists, judge_ratings
from segspark.recommend.methods.by_factors import by_als, by_segment
from segspark.recommend.methods.method import Answer

ACTS = "user_id string, item_id string, weight double, action int, tested int"
RATINGS = "user_id string, item_id string, weight double, tested double"
LISTS = "user_no int, rank int, item_no int"
CONFIG = RecommendConfig(rank=2, iterations=2, evaluation=EvaluationConfig(k=3, bootstrap_rounds=60))
ITEMS = ["a", "b", "c", "d", "e", "f"]
TAKEN = {"a": "uvwx", "b": "uvw", "c": "ux", "d": "vy", "e": "y", "f": "w"}  # weight 1 each: popularity 4 3 2 2 1 1
WEIGHT = {(user, item): 1.0 for item, users in TAKEN.items() for user in users}
HELD_OUT = {"u": "de", "v": "c", "y": "ab", "x": "f"}  # w has nothing, z is not known
SEGMENTS = {"u": 4, "x": 4, "v": 9, "w": 9}  # y is in none
USERS = "uvwxy"


def acts(spark, known, held_out, tested=BOUGHT, parts=2):
    """The acts of Parts: weights of what was bought and known, and the pairs that are held out."""
    rows = [
        (*pair, known.get(pair), BOUGHT if pair in known else None, tested if pair in held_out else None)
        for pair in {*known, *held_out}
    ]
    return spark.createDataFrame(rows, ACTS).repartition(parts)


def ratings(spark, known, held_out):
    rows = [(*pair, known.get(pair), held_out.get(pair)) for pair in {*known, *held_out}]
    return spark.createDataFrame(rows, RATINGS)


def made_up(lists):
    """A method with these lists, by names."""

    def method(train, judged_users, settings):
        rows = [
            (USERS.index(user), rank, ITEMS.index(item))
            for user, items in lists.items()
            for rank, item in enumerate(items, 1)
        ]
        frame = judged_users.sparkSession.createDataFrame(rows, LISTS)
        return Answer(frame.join(judged_users, on="user_no", how="left_semi"))

    return method


MADE_UP = {"u": "dfe", "v": "efc", "x": "b"}  # y gets nothing


def judged(spark, parts=2, config=CONFIG, **methods):
    held_out = {(user, item) for user, items in HELD_OUT.items() for item in items} | {("z", "a"), ("v", "new")}
    rows, notes = judge_lists(acts(spark, WEIGHT, held_out, parts=parts), methods, config, 7)
    assert len({(row.method, row.metric, row.k) for row in rows}) == len(rows)
    return {(row.method, row.metric): row for row in rows}, notes


@pytest.fixture(scope="module")
def found(spark):
    segments = spark.createDataFrame(list(SEGMENTS.items()), "user_id string, segment_id int")
    methods = {"als": by_als, "made_up": made_up(MADE_UP), "segment_popularity": by_segment(segments, {4, 9})}
    return judged(spark, **methods)[0]


def listed_by(order, user):
    """The first three of a ranking without what the user has."""
    return [item for item in order if user not in TAKEN[item]][:3]


POPULAR = {user: listed_by("abcdef", user) for user in USERS}


def mean_over(lists, metric):
    return np.mean([metric(list(lists.get(user, "")), HELD_OUT[user]) for user in HELD_OUT])


def ndcg(listed, relevant):
    scores = [[10.0 - listed.index(item) if item in listed else 0.0 for item in ITEMS]]
    hits = [item for item in listed if item in relevant]
    return ndcg_score([[float(item in relevant) for item in ITEMS]], scores, k=3, ignore_ties=True) if hits else 0.0


def test_figures_of_lists_are_those_by_hand(found):
    assert found["made_up", "recall_at_k"].value == pytest.approx((1 + 1 + 0 + 0) / 4)
    assert found["made_up", "precision_at_k"].value == pytest.approx((2 / 3 + 1 / 3) / 4)
    assert found["made_up", "hit_rate_at_k"].value == 0.5
    assert found["made_up", "mrr"].value == pytest.approx((1 + 1 / 3) / 4)
    assert found["made_up", "map_at_k"].value == pytest.approx(((1 + 2 / 3) / 2 + 1 / 3) / 4)
    assert found["made_up", "ndcg_at_k"].value == pytest.approx(mean_over(MADE_UP, ndcg))
    assert found["popularity", "ndcg_at_k"].value == pytest.approx(mean_over(POPULAR, ndcg))
    assert {found[method, "mrr"].users for method in ("als", "made_up", "popularity")} == {4}


def test_novelty_is_over_users_with_a_list_and_counts_train_users(found):
    def surprise(lists):
        return np.mean(
            [np.mean([-np.log2(len(TAKEN[i]) / 5) for i in items]) for u, items in lists.items() if u != "w"]
        )

    assert found["made_up", "novelty"].value == pytest.approx(surprise(MADE_UP))
    assert found["made_up", "novelty"].users == 3
    assert found["made_up", "diversity"].users == 2  # x has a list of one
    assert found["popularity", "novelty"].value == pytest.approx(surprise(POPULAR))


def test_coverage_and_gini_are_over_all_lists_and_have_no_interval(found):
    assert found["made_up", "coverage"].value == pytest.approx(5 / 6)
    exposures = np.array([0, 1, 1, 1, 2, 2])
    by_hand = np.abs(exposures[:, None] - exposures[None, :]).mean() / (2 * exposures.mean())
    assert found["made_up", "gini"].value == pytest.approx(by_hand)
    assert {found["made_up", metric].low for metric in ("coverage", "gini")} == {None}


def test_auc_is_scikit_learns_over_everything_that_the_user_has_not(found):
    areas = []
    for user, relevant in HELD_OUT.items():
        candidates = [item for item in ITEMS if user not in TAKEN[item]]
        scores = [len(TAKEN[item]) for item in candidates]
        areas.append(roc_auc_score([item in relevant for item in candidates], scores))
    assert found["popularity", "auc"].value == pytest.approx(np.mean(areas))
    assert found["popularity", "auc"].k == 0
    assert ("made_up", "auc") not in found
    assert found["als", "auc"].value > 0


def test_who_is_in_a_segment_gets_what_it_takes_then_what_others_take(found):
    order = {"u": "acbdef", "x": "acbdef", "v": "abdfce", "w": "abdfce", "y": "abcdef"}
    lists = {user: listed_by(order[user], user) for user in USERS}
    assert found["segment_popularity", "ndcg_at_k"].value == pytest.approx(mean_over(lists, ndcg))


def test_every_method_has_the_same_rows_and_a_difference_with_popularity_user_by_user(found):
    per_user = {
        "ndcg_at_k",
        "recall_at_k",
        "precision_at_k",
        "map_at_k",
        "hit_rate_at_k",
        "mrr",
        "novelty",
        "diversity",
    }
    for method in ("als", "segment_popularity", "popularity"):
        assert {name for m, name in found if m == method} == per_user | {"auc", "coverage", "gini"}
    for method in ("als", "made_up", "segment_popularity"):
        for metric in per_user - {"novelty", "diversity"}:
            gap = found[f"{method}-popularity", metric]
            both = found[method, metric], found["popularity", metric]
            assert gap.value == pytest.approx(both[0].value - both[1].value)
            assert gap.low <= gap.value <= gap.high
            assert gap.popularity_value == both[0].popularity_value == both[1].value


def test_partitions_change_nothing_and_a_method_equal_to_popularity_differs_by_nothing(spark):
    one, _ = judged(spark, parts=1, same=made_up(POPULAR))
    other, _ = judged(spark, parts=5, same=made_up(POPULAR))
    assert one == other
    gaps = [row for (method, metric), row in one.items() if method == "same-popularity"]
    assert gaps and {(row.value, row.low, row.high) for row in gaps} == {(0.0, 0.0, 0.0)}


def test_what_was_touched_counts_where_nothing_was_bought_and_a_note_says_so(spark):
    rows, notes = judge_lists(acts(spark, WEIGHT, {("u", "d")}, VIEWED), {}, CONFIG, 7)
    assert {row.users for row in rows} == {1}
    assert "touched" in notes[0]


def test_nobody_to_judge_gives_no_rows(spark):
    nothing = spark.createDataFrame([], ACTS)
    assert judge_lists(nothing, {}, CONFIG, 7) == ([], [])
    rows, _ = judge_lists(acts(spark, WEIGHT, {("z", "a")}), {}, CONFIG, 7)
    assert rows == []


def test_ratings_have_rows_for_both_errors_beside_the_items_mean(spark):
    train = {(f"u{u}", f"i{i}"): 3.0 + i % 2 for u in range(12) for i in range(6) if (u + i) % 4}
    test = {(f"u{u}", f"i{i}"): 3.5 + i % 2 for u in range(12) for i in range(6) if not (u + i) % 4}
    rows = judge_ratings(ratings(spark, train, test), CONFIG, 7)
    assert [(row.method, row.metric, row.k) for row in rows] == [
        ("als_explicit", "mae", 0),
        ("als_explicit", "rmse", 0),
    ]
    assert all(row.popularity_value == pytest.approx(0.5) and row.users == 12 and row.low is not None for row in rows)
    assert judge_ratings(ratings(spark, train, {("z", "i1"): 1.0}), CONFIG, 7) == []
    assert judge_ratings(ratings(spark, {}, test), CONFIG, 7) == []
