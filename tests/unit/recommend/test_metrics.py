"""In four kinds: empty, perfect, truncated, property; oracles are scikit-learn and hand arithmetic."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from sklearn.metrics import ndcg_score

from segspark.recommend.bootstrap import poisson_draws
from segspark.recommend.metrics import (
    RANKING_METRICS,
    hit_rate_at_k,
    hits_of,
    map_at_k,
    ndcg_at_k,
    precision_at_k,
    recall_at_k,
)


def one(metric, ranks, relevant, k):
    return float(metric(hits_of([ranks], k), np.array([relevant]))[0])


@pytest.mark.parametrize("metric", RANKING_METRICS.values())
def test_a_list_without_a_hit_is_worth_nothing(metric):
    assert one(metric, None, 3, 5) == 0
    assert one(metric, [], 3, 5) == 0


@pytest.mark.parametrize("metric", RANKING_METRICS.values())
def test_a_list_of_hits_alone_is_worth_one(metric):
    assert one(metric, [1, 2, 3, 4, 5], 5, 5) == pytest.approx(1)


def test_hits_beyond_k_do_not_count():
    assert one(hit_rate_at_k, [4], 1, 3) == 0
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


@given(st.integers(0, 10_000), st.integers(1, 12))
def test_ndcg_is_scikit_learns(seed, k):
    random = np.random.default_rng(seed)
    truth = random.random(12) < 0.4
    truth[random.integers(12)] = True
    scores = random.permutation(12).astype(float)
    order = np.argsort(-scores)
    ranks = (np.flatnonzero(truth[order]) + 1).tolist()
    ours = one(ndcg_at_k, ranks, int(truth.sum()), k)
    assert ours == pytest.approx(ndcg_score([truth.astype(float)], [scores], k=k), abs=1e-12)


@given(st.sets(st.integers(1, 10), min_size=1), st.integers(0, 5))
def test_a_hit_moved_up_never_lowers_a_metric_and_all_stay_between_0_and_1(ranks, more):
    relevant = len(ranks) + more
    moved = sorted(ranks)
    free = next((rank for rank in range(1, moved[-1]) if rank not in ranks), None)
    better = sorted([*moved[:-1], free]) if free else moved
    for metric in RANKING_METRICS.values():
        before, after = one(metric, moved, relevant, 10), one(metric, better, relevant, 10)
        assert 0 <= before <= after + 1e-12 <= 1 + 2e-12


def test_poisson_draws_have_mean_and_variance_one_and_belong_to_the_number():
    draws = poisson_draws(np.arange(2000), 50, seed=7)
    assert draws.mean() == pytest.approx(1, abs=0.02)
    assert draws.var() == pytest.approx(1, abs=0.03)
    assert abs(np.corrcoef(draws[:, 0], draws[:, 1])[0, 1]) < 0.1
    assert (poisson_draws(np.array([1999, 3]), 50, seed=7) == draws[[1999, 3]]).all()
    assert (poisson_draws(np.arange(2000), 50, seed=8) != draws).any()
