"""How good a clustering is, by numpy on a bounded sample."""

import numpy as np

from segspark.segments.geometry import nearest


def simplified_silhouette(points: np.ndarray, centres: np.ndarray) -> float:
    """Mean of (b - a) / b, a and b the distances to the nearest and the next centre (Hruschka et al. 2004)."""
    found = nearest(points, centres)
    ratio = np.divide(found.first, found.second, out=np.ones_like(found.first), where=found.second > 0)
    return float((1.0 - np.sqrt(ratio)).mean())


def calinski_harabasz(points: np.ndarray, labels: np.ndarray) -> float:
    """Dispersion between clusters over dispersion within, each by its degrees of freedom (Calinski, Harabasz 1974)."""
    means, sizes = cluster_means(points, labels)
    within = float(((points - means[labels]) ** 2).sum())
    between = float((sizes[:, None] * (means - points.mean(axis=0)) ** 2).sum())
    clusters = len(sizes)
    if within == 0.0 or len(points) == clusters:
        return float("inf") if between > 0.0 else 1.0
    return between / (clusters - 1) / (within / (len(points) - clusters))


def davies_bouldin(points: np.ndarray, labels: np.ndarray) -> float:
    """Mean over the clusters of the worst (spread + spread) / distance of their means (Davies, Bouldin 1979)."""
    means, sizes = cluster_means(points, labels)
    to_mean = np.sqrt(((points - means[labels]) ** 2).sum(axis=1))
    spread = np.bincount(labels, weights=to_mean, minlength=len(sizes)) / sizes
    apart = np.sqrt(((means[:, None, :] - means[None, :, :]) ** 2).sum(axis=2))
    np.fill_diagonal(apart, np.inf)
    with np.errstate(divide="ignore"):
        return float(((spread[:, None] + spread[None, :]) / apart).max(axis=1).mean())


def cluster_means(points: np.ndarray, labels: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Mean and number of the points of each cluster. Every label from 0 to the highest is in use."""
    sizes = np.bincount(labels)
    sums = np.column_stack([np.bincount(labels, weights=column) for column in points.T])
    return sums / sizes[:, None], sizes


def prediction_strength(own: np.ndarray, carried: np.ndarray, k: int, others: int, noise: int | None = None) -> float:
    """Least share, over a half's own clusters, of pairs that the other half's fit keeps together.

    `own` are the `k` labels from clustering this half, `carried` the `others` from the other half's fit (Tibshirani and
    Walther 2005). A cluster of one point has no pair that could be kept together: 0. Labels that nobody has are no
    clusters, nor is `noise`.
    """
    table = contingency(own, carried, k, others).astype(np.float64)
    sizes = table.sum(axis=1)
    kept = (table * (table - 1.0)).sum(axis=1)
    pairs = sizes * (sizes - 1.0)
    shares = np.divide(kept, pairs, out=np.zeros(k), where=pairs > 0)
    is_cluster = (sizes > 0) & (np.arange(k) != (-1 if noise is None else noise))
    return float(shares[is_cluster].min(initial=1.0))


def contingency(
    first: np.ndarray, second: np.ndarray, k: int, others: int, weights: np.ndarray | None = None
) -> np.ndarray:
    """How many points, or what weight of them, have each pair of labels: `k` of the first by `others` of the second."""
    return np.bincount(first * others + second, weights=weights, minlength=k * others).reshape(k, others)
