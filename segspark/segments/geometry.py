"""Distances and projections by numpy alone, for executors and driver.

Sums run over the features in their order, one user beside the other, so that a user's numbers are the same to the last
bit in whatever batch the user comes.
"""

from collections.abc import Callable
from typing import NamedTuple

import numpy as np

Measure = Callable[[np.ndarray, np.ndarray], np.ndarray]  # points, centres -> a row per centre, a column per point


class Nearest(NamedTuple):
    """For each point its nearest centre (the lowest number of equals) and squared distances to it and to the next."""

    label: np.ndarray
    first: np.ndarray
    second: np.ndarray


def squared_distances(points: np.ndarray, centres: np.ndarray) -> np.ndarray:
    """Squared Euclidean distances, one row per centre and one column per point. Points are rows of `points`."""
    return _summed(points, centres, np.square)


def manhattan_distances(points: np.ndarray, centres: np.ndarray) -> np.ndarray:
    """Manhattan distances, shaped as `squared_distances`."""
    return _summed(points, centres, np.abs)


def nearest(points: np.ndarray, centres: np.ndarray, measure: Measure = squared_distances) -> Nearest:
    """The nearest of two centres or more, by squared Euclidean distance or another measure."""
    distances = measure(points, centres)
    label = distances.argmin(axis=0)
    everyone = np.arange(distances.shape[1])
    first = distances[label, everyone]
    distances[label, everyone] = np.inf
    return Nearest(label, first, distances.min(axis=0))


def unit_rows(points: np.ndarray) -> np.ndarray:
    """Every row scaled to length 1; a zero row stays."""
    length = np.sqrt(squared_distances(points, np.zeros((1, points.shape[1])))[0])[:, None]
    return np.divide(points, length, out=np.zeros_like(points, dtype=np.float64), where=length > 0)


def confidence(first: np.ndarray, second: np.ndarray) -> np.ndarray:
    """1 - distance to the nearest centre / distance to the next, of squares: 0 on the border, 1 in the centre."""
    ratio = np.divide(first, second, out=np.ones_like(first), where=second > 0)
    return 1.0 - np.sqrt(ratio)


def ratio_confidence(first: np.ndarray, second: np.ndarray) -> np.ndarray:
    """As `confidence`, of distances that are not squared."""
    return 1.0 - np.divide(first, second, out=np.ones_like(first), where=second > 0)


def project(points: np.ndarray, origin: np.ndarray, axes: np.ndarray) -> np.ndarray:
    """Points on `axes` (one per row) through `origin`: one row per point."""
    columns = np.ascontiguousarray(points.T, dtype=np.float64)
    result = np.zeros((len(axes), columns.shape[1]))
    for feature, values in enumerate(columns):
        for row, weight in zip(result, axes[:, feature], strict=True):
            row += (values - origin[feature]) * weight
    return result.T


def principal_axes(points: np.ndarray, count: int = 2) -> tuple[np.ndarray, np.ndarray]:
    """The mean and the first principal axes (rows), zero where there are fewer features than `count`.

    The largest weight of an axis is positive, so that the sign does not depend on the solver. Rounded to float32,
    which hides the last bits of the solver.
    """
    origin = points.mean(axis=0)
    _, vectors = np.linalg.eigh(np.atleast_2d(np.cov(points, rowvar=False)))
    axes = np.zeros((count, points.shape[1]))
    found = vectors.T[::-1][:count]
    leading = found[np.arange(len(found)), np.abs(found).argmax(axis=1)]
    axes[: len(found)] = found * np.where(leading < 0, -1.0, 1.0)[:, None]
    return _rounded(origin), _rounded(axes)


def _rounded(values: np.ndarray) -> np.ndarray:
    return values.astype(np.float32).astype(np.float64)


def _summed(points: np.ndarray, centres: np.ndarray, part: Callable[[np.ndarray], np.ndarray]) -> np.ndarray:
    columns = np.ascontiguousarray(points.T, dtype=np.float64)
    distances = np.zeros((len(centres), columns.shape[1]))
    for feature, values in enumerate(columns):
        for row, centre in zip(distances, centres[:, feature], strict=True):
            row += part(values - centre)
    return distances
