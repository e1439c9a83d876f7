"""Spherical K-Means: only a vector's direction counts (Dhillon and Modha 2001)."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from segspark.segments.geometry import squared_distances, unit_rows
from segspark.segments.methods.lloyd import Alternation, best_centres
from segspark.segments.model import as_stored
from segspark.segments.placements.centres import NearestDirection

if TYPE_CHECKING:
    from segspark.segments.config import SchemeConfig


def cosine_distances(points: np.ndarray, centres: np.ndarray) -> np.ndarray:
    """1 - cosine between unit vectors: half the squared chord. A row per centre."""
    return squared_distances(points, centres) / 2.0


def direction_of(points: np.ndarray) -> np.ndarray:
    """The mean's direction, whose summed cosine distance is least; where the mean is 0 any will do: the first's."""
    total = points.sum(axis=0)
    length = np.sqrt((total**2).sum())
    return np.asarray(total / length if length > 0 else points[0])


DIRECTIONS = Alternation(cosine_distances, direction_of)


def fit_directions(points: np.ndarray, k: int, config: SchemeConfig, seed: int) -> NearestDirection:
    """k directions; vectors of length 0 are left out. Fewer where fewer directions are told apart."""
    units = unit_rows(points)
    units = units[units.any(axis=1)]
    possible = min(k, len(np.unique(units, axis=0)))
    if possible == 0:
        return NearestDirection(unit_rows(np.ones((1, points.shape[1]))), 0)
    return around(best_centres(units, possible, DIRECTIONS, config, seed), points)


def around(centres: np.ndarray, points: np.ndarray) -> NearestDirection:
    """A placement by the centres' directions; vectors of length 0 go to the one with the most of `points`."""
    stored = as_stored(unit_rows(centres))
    found = NearestDirection(stored, 0).place(points)
    return NearestDirection(stored, int(np.bincount(found.number[found.distance < 1.0], minlength=1).argmax()))
