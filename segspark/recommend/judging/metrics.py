"""Metrics of the lists of many users at once, as arrays: each function gives one number per user.

`hits` has a row per user and a column per place of the list, true where the item there is relevant; shorter lists end
in false. `relevant` is how many relevant items the user has, at least 1. Candidates are all items with a weight in the
train part, without those that the list was told to leave out, which are not relevant either.
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np


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


def mrr(hits: np.ndarray, relevant: np.ndarray) -> np.ndarray:
    """1 / rank of the first hit, 0 where the k places hold none: its mean is the mean reciprocal rank."""
    return np.where(hits.any(axis=1), 1 / (1.0 + hits.argmax(axis=1)), 0.0)


RANKING_METRICS: dict[str, Callable[[np.ndarray, np.ndarray], np.ndarray]] = {
    metric.__name__: metric for metric in (ndcg_at_k, recall_at_k, precision_at_k, map_at_k, hit_rate_at_k, mrr)
}


def novelty(surprise: np.ndarray, listed: np.ndarray) -> np.ndarray:
    """Mean surprise of the listed items: -log2 of the share of train users who acted on the item (Zhou et al. 2010).

    `surprise` is each list's sum of it, `listed` the number of its items. NaN for an empty list.
    """
    return _ratio(surprise, listed)


def diversity(units: np.ndarray, listed: np.ndarray) -> np.ndarray:
    """Mean of 1 - cosine over all pairs of listed items (Ziegler et al. 2005), from 0 to 2.

    `units` is each list's sum of its items' vectors, each of length 1, by lists and places of a vector; `listed` the
    number of its items that have one. The vectors are those of ALS on the train part: items that the same people take
    lie close together, and no catalogue is needed. NaN for a list of fewer than two.
    """
    cosines = np.square(units).sum(axis=-1) - listed  # of all ordered pairs: |sum of units|^2 - n
    return 1 - _ratio(cosines, listed * (listed - 1))


def auc(below: np.ndarray, tied: np.ndarray, pairs: np.ndarray) -> np.ndarray:
    """Share of the pairs (relevant item, other candidate) in which the relevant item scores higher; ties count half.

    `below` counts the pairs won, `tied` those of equal score, for each user. NaN where the user has no pair.
    """
    return _ratio(below + tied / 2, pairs)


def coverage(times: np.ndarray, items: int) -> float:
    """Share of the `items` that any list holds; `times` counts those items, in groups of any kind."""
    return float(times.sum() / items)


def gini(exposures: np.ndarray, times: np.ndarray, items: int) -> float:
    """Gini index of how often each of the `items` is listed, those never listed too: 0 when all are listed alike.

    `times` items are in as many lists as `exposures` says, above 0. The mean difference between two items drawn with
    replacement, over twice the mean; near 1 when one item is in every list.
    """
    order = np.argsort(exposures)
    value, count = exposures[order].astype(float), times[order].astype(float)
    before = items - count.sum() + np.r_[0.0, np.cumsum(count)[:-1]]  # items with fewer exposures
    ranks = count * (2 * before + count - items)  # sum of 2 * rank - items - 1 over items of equal exposure
    return float((ranks * value).sum() / (items * (count * value).sum()))


def _ratio(total: np.ndarray, count: np.ndarray) -> np.ndarray:
    return np.divide(total, count, out=np.full(np.shape(total), np.nan), where=count > 0)
