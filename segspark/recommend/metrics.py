"""Ranking metrics of many users at once, as arrays.

`hits` has a row per user and a column per place of the list, true where the item there is relevant; shorter lists end
in false. `relevant` is how many relevant items the user has, at least 1. Each function gives one number per user.
Candidates are all items known at the split, without those that the list was told to leave out, which are not relevant
either.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

import numpy as np


def hits_of(ranks: Sequence[Sequence[int] | None], k: int) -> np.ndarray:
    """The hits of each user from the ranks (from 1) of the relevant items in the list; ranks beyond k do not count."""
    hits = np.zeros((len(ranks), k), bool)
    for user, found in enumerate(ranks):
        hits[user, [rank - 1 for rank in found or () if rank <= k]] = True
    return hits


def ndcg_at_k(hits: np.ndarray, relevant: np.ndarray) -> np.ndarray:
    """Discounted gain 1 / log2(1 + rank), over that of min(k, relevant) hits at the top (Järvelin, Kekäläinen 2002)."""
    gains = 1 / np.log2(np.arange(2, hits.shape[1] + 2))
    ideal = np.r_[0.0, np.cumsum(gains)]
    return (hits @ gains) / ideal[np.minimum(relevant, hits.shape[1])]


def recall_at_k(hits: np.ndarray, relevant: np.ndarray) -> np.ndarray:
    """Share of the relevant items that are in the list."""
    return hits.sum(axis=1) / relevant


def precision_at_k(hits: np.ndarray, relevant: np.ndarray) -> np.ndarray:
    """Share of the k places that hold a relevant item; a place that a short list lacks is a miss."""
    return hits.mean(axis=1)


def map_at_k(hits: np.ndarray, relevant: np.ndarray) -> np.ndarray:
    """Mean of the precision at each hit, over min(k, relevant) hits."""
    at_each = np.cumsum(hits, axis=1) / np.arange(1, hits.shape[1] + 1)
    return (at_each * hits).sum(axis=1) / np.minimum(relevant, hits.shape[1])


def hit_rate_at_k(hits: np.ndarray, relevant: np.ndarray) -> np.ndarray:
    """1 where the list holds any relevant item."""
    return hits.any(axis=1).astype(float)


RANKING_METRICS: dict[str, Callable[[np.ndarray, np.ndarray], np.ndarray]] = {
    metric.__name__: metric for metric in (ndcg_at_k, recall_at_k, precision_at_k, map_at_k, hit_rate_at_k)
}
