"""In four kinds: empty, perfect, truncated, property; oracles are scikit-learn and hand arithmetic."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from sklearn.metrics import average_precision_score, ndcg_score

from segspark.recommend.judging.metrics import (
    RANKING_METRICS,
    auc,
    coverage,
    diversity,
    gini,
    hit_rate_at_k,
    map_at_k,
    mrr,
    ndcg_at_k,
    novelty,
    precision_at_k,
    recall_at_k,
)


def one(metric, ranks, relevant, k):
    hits = np.zeros((1, k), bool)
    hits[0, [rank - 1 for rank in ranks if rank <= k]] = True
    return float(metric(hits, np.array([relevant]))[0])


@pytest.mark.parametrize("metric", RANKING_METRICS.values())
def test_a_list_without_a_hit_is_worth_nothing(metric):
    assert one(metric, [], 3, 5) == 0


@pytest.mark.parametrize("metric", RANKING_METRICS.values())
def test_a_list_of_hits_alone_is_worth_one(metric):
    assert one(metric, [1, 2, 3, 4, 5], 5, 5) == pytest.approx(1)


def test_hits_beyond_k_do_not_count():
    assert one(hit_rate_at_k, [4], 1, 3) == 0
    assert one(mrr, [4], 1, 3) == 0
    assert one(recall_at_k, [1, 4], 2, 3) == 0.5


def test_with_more_relevant_items_than_places_the_ideal_is_a_full_list():
    assert one(ndcg_at_k, [1, 2], 9, 2) == pytest.approx(1)
    assert one(map_at_k, [1, 2], 9, 2) == pytest.approx(1)
    assert one(recall_at_k, [1, 2], 8, 2) == 0.25


def test_a_list_shorter_than_k_has_misses_in_the_places_that_it_lacks():
    assert one(precision_at_k, [1], 1, 4) == 0.25


def test_values_by_hand():
    assert one(map_at_k, [1, 3], 2, 3) == pytest.approx((1 / 1 + 2 / 3) / 2)
    assert one(ndcg_at_k, [1, 3], 2, 3) == pytest.approx((1 + 1 / 2) / (1 + 1 / np.log2(3)))
    assert one(precision_at_k, [1, 3], 2, 3) == pytest.approx(2 / 3)
    assert one(mrr, [3, 4], 2, 4) == pytest.approx(1 / 3)


def ranked_truth(seed):
    """Twelve items, some relevant, their scores, and the ranks of the relevant ones."""
    random = np.random.default_rng(seed)
    truth = random.random(12) < 0.4
    truth[random.integers(12)] = True
    scores = random.permutation(12).astype(float)
    return truth, scores, (np.flatnonzero(truth[np.argsort(-scores)]) + 1).tolist()


@given(st.integers(0, 10_000), st.integers(1, 12))
def test_ndcg_is_scikit_learns(seed, k):
    truth, scores, ranks = ranked_truth(seed)
    ours = one(ndcg_at_k, ranks, int(truth.sum()), k)
    assert ours == pytest.approx(ndcg_score([truth.astype(float)], [scores], k=k), abs=1e-12)


@given(st.integers(0, 10_000))
def test_average_precision_over_a_list_of_everything_is_scikit_learns(seed):
    truth, scores, ranks = ranked_truth(seed)
    ours = one(map_at_k, ranks, int(truth.sum()), 12)
    assert ours == pytest.approx(average_precision_score(truth, scores), abs=1e-12)


@given(st.sets(st.integers(1, 10), min_size=1), st.integers(0, 5))
def test_a_hit_moved_up_never_lowers_a_metric_and_all_stay_between_0_and_1(ranks, more):
    relevant = len(ranks) + more
    moved = sorted(ranks)
    free = next((rank for rank in range(1, moved[-1]) if rank not in ranks), None)
    better = sorted([*moved[:-1], free]) if free else moved
    for metric in RANKING_METRICS.values():
        before, after = one(metric, moved, relevant, 10), one(metric, better, relevant, 10)
        assert 0 <= before <= after + 1e-12 <= 1 + 2e-12


def test_novelty_is_the_mean_surprise_of_what_is_listed_and_undefined_for_an_empty_list():
    assert novelty(np.array([4.0, 0.0, 0.0]), np.array([2, 0, 1])).tolist() == pytest.approx(
        [2, np.nan, 0], nan_ok=True
    )


def test_diversity_is_the_mean_of_one_minus_cosine_over_pairs():
    vectors = np.random.default_rng(1).normal(size=(5, 4, 3))
    vectors[0, 3] = 0  # a list of three
    vectors[1] = vectors[1, :1] * np.array([[1], [2], [3], [4]])  # all alike
    vectors[2, 1:] = 0  # a list of one
    units = [[v / np.linalg.norm(v) for v in of_user if v.any()] for of_user in vectors]
    found = diversity(np.array([np.sum(each, axis=0) for each in units]), np.array([len(each) for each in units]))
    for user in (0, 3, 4):
        pairs = [1 - a @ b for place, a in enumerate(units[user]) for b in units[user][place + 1 :]]
        assert found[user] == pytest.approx(np.mean(pairs))
    assert found[1] == pytest.approx(0)
    assert np.isnan(found[2])
    assert diversity(np.array([[1.0 - 1.0]]), np.array([2]))[0] == pytest.approx(2)


def test_ties_count_half_in_auc_and_without_pairs_it_is_undefined():
    found = auc(np.array([3, 0, 0]), np.array([2, 4, 0]), np.array([8, 4, 0]))
    assert found.tolist() == pytest.approx([0.5, 0.5, np.nan], nan_ok=True)


@given(st.lists(st.integers(0, 6), min_size=1, max_size=30).filter(any))
def test_gini_is_half_the_mean_difference_over_the_mean_and_coverage_the_share_that_is_listed(exposures):
    every = np.array(exposures)
    value, times = np.unique(every[every > 0], return_counts=True)
    differences = np.abs(every[:, None] - every[None, :]).mean()
    assert gini(value, times, len(every)) == pytest.approx(differences / (2 * every.mean()), abs=1e-12)
    assert coverage(times, len(every)) == np.mean(every > 0)
