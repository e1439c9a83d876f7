"""Hierarchical clustering of points that stand for several users each. On the driver.

The distances between clusters follow from those of their parts (Lance and Williams 1967) with the users as sizes, so
the dendrogram is that of the users, each at the place of the point that stands for them. Neighbours are found along a
chain (Murtagh 1983; Muellner 2011), in time and memory quadratic in the points.
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
from scipy.cluster.hierarchy import cophenet
from scipy.spatial.distance import cdist, pdist

Update = Callable[[np.ndarray, np.ndarray, float, np.ndarray, float, float], np.ndarray]


def ward_linkage(points: np.ndarray, weights: np.ndarray) -> np.ndarray:
    """Least growth of the squared distances within (Ward 1963), heights as scipy has them: a row per merge."""
    distances = cdist(points, points, "sqeuclidean")
    distances *= 2.0 * np.outer(weights, weights) / np.add.outer(weights, weights)
    merges = linkage(distances, weights, _ward)
    merges[:, 2] = np.sqrt(np.maximum(merges[:, 2], 0.0))
    return merges


def average_linkage(distances: np.ndarray, weights: np.ndarray) -> np.ndarray:
    """Mean distance of the users in two clusters (Sokal and Michener 1958): a row per merge."""
    return linkage(distances.copy(), weights, _average)


def linkage(distances: np.ndarray, weights: np.ndarray, update: Update) -> np.ndarray:
    """The merges, lowest first: two parts, height, points in them. Parts from `points` on are earlier merges.

    `distances` is square and is overwritten. `update` must be reducible: a merged cluster is no nearer to others than
    the nearer of its parts.
    """
    count = len(distances)
    np.fill_diagonal(distances, np.inf)
    sizes, alive = weights.astype(np.float64), np.ones(count, dtype=bool)
    reached = np.zeros(count)  # heights; where they are equal, rounding must not put a merge below its parts
    chain: list[int] = []
    found = np.empty((count - 1, 3))
    for merge in range(count - 1):
        first, second = _mutual_neighbours(distances, alive, chain)
        height = distances[first, second]
        reached[second] = max(height, reached[first], reached[second])
        found[merge] = first, second, reached[second]
        joined = update(distances[first], distances[second], height, sizes, sizes[first], sizes[second])
        distances[second, :] = distances[:, second] = joined
        distances[first, :] = distances[:, first] = np.inf
        distances[second, second] = np.inf
        sizes[second] += sizes[first]
        alive[first] = False
    return _numbered(found, count)


def cut(merges: np.ndarray, clusters: int) -> np.ndarray:
    """The label, from 0, of each point when the highest merges are undone until there are so many clusters."""
    points = len(merges) + 1
    parent = np.arange(2 * points - 1)
    for number, (first, second) in enumerate(merges[: max(points - clusters, 0), :2].astype(np.int64)):
        parent[first] = parent[second] = points + number
    roots = np.arange(points)
    while (parent[roots] != roots).any():
        roots = parent[roots]
    return np.unique(roots, return_inverse=True)[1].astype(np.int64)


def cophenetic_correlation(points: np.ndarray, weights: np.ndarray, merges: np.ndarray) -> float:
    """Correlation, over all pairs of users, of distance and height of the merge that joins them (Sokal, Rohlf 1962).

    Users that one point stands for are at distance 0 and height 0. 0 where either does not vary.
    """
    rows, columns = np.triu_indices(len(points), 1)
    pairs = np.append(weights[rows] * weights[columns], (weights * (weights - 1.0)).sum() / 2.0)
    distance, height = np.append(pdist(points), 0.0), np.append(cophenet(merges), 0.0)
    centred = [values - np.average(values, weights=pairs) for values in (distance, height)]
    together, *alone = (np.average(a * b, weights=pairs) for a, b in ((centred), (centred[:1] * 2), (centred[1:] * 2)))
    return float(together / np.sqrt(alone[0] * alone[1])) if min(alone) > 0 else 0.0


def _mutual_neighbours(distances: np.ndarray, alive: np.ndarray, chain: list[int]) -> tuple[int, int]:
    """Two clusters, each the other's nearest, at the end of the chain of nearest neighbours; takes them off it."""
    if not chain:
        chain.append(int(alive.argmax()))
    while True:
        row = distances[chain[-1]]
        nearest = int(row.argmin())
        if len(chain) > 1 and row[chain[-2]] <= row[nearest]:
            first, second = chain.pop(), chain.pop()
            return min(first, second), max(first, second)
        chain.append(nearest)


def _numbered(found: np.ndarray, points: int) -> np.ndarray:
    """Merges of representatives, in the order of finding, as scipy numbers them: by height."""
    order = np.argsort(found[:, 2], kind="stable")
    current, counts = np.arange(points), np.ones(2 * points - 1)
    merges = np.empty((points - 1, 4))
    for number, (first, second, height) in enumerate(found[order]):
        parts = sorted((current[int(first)], current[int(second)]))
        counts[points + number] = counts[parts[0]] + counts[parts[1]]
        merges[number] = *parts, height, counts[points + number]
        current[int(second)] = points + number
    return merges


def _ward(
    first: np.ndarray, second: np.ndarray, height: float, sizes: np.ndarray, size: float, other: float
) -> np.ndarray:
    """Of squared distances."""
    return ((sizes + size) * first + (sizes + other) * second - sizes * height) / (sizes + size + other)


def _average(
    first: np.ndarray, second: np.ndarray, height: float, sizes: np.ndarray, size: float, other: float
) -> np.ndarray:
    return (size * first + other * second) / (size + other)
