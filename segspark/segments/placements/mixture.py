"""Placement by the likeliest component of a mixture of normal distributions."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from segspark.segments.placements.placed import Placed


@dataclass(frozen=True)
class LikeliestComponent:
    """Normal distributions, each with a share of the users, and the one that a user most likely comes from."""

    shares: np.ndarray  # of each component, above 0, 1 in all
    means: np.ndarray  # one row per component
    covariances: np.ndarray  # components x features x features
    kind: ClassVar[str] = "likeliest component"

    @property
    def segments(self) -> int:
        """One per component."""
        return len(self.shares)

    @property
    def noise(self) -> int | None:
        """Everyone comes from some component."""
        return None

    def place(self, points: np.ndarray) -> Placed:
        """Distance is Mahalanobis', confidence the posterior probability, cost the negative log-likelihood.

        Far from every component the probabilities are still told apart: they are taken relative to the largest.
        """
        squares = np.empty((self.segments, len(points)))
        joint = np.empty_like(squares)
        for number in range(self.segments):
            lower = cholesky(self.covariances[number])
            squares[number] = mahalanobis_squares(points, self.means[number], lower)
            volume = np.log(np.diag(lower)).sum() + 0.5 * len(lower) * np.log(2.0 * np.pi)
            joint[number] = np.log(self.shares[number]) - volume - 0.5 * squares[number]
        number, most = joint.argmax(axis=0), joint.max(axis=0)
        total = np.zeros(len(points))
        for row in joint:
            total += np.exp(row - most)
        distance = np.sqrt(squares[number, np.arange(len(points))])
        return Placed(number, distance, 1.0 / total, -(most + np.log(total)))

    def reordered(self, order: np.ndarray) -> LikeliestComponent:
        """The components in another order."""
        return LikeliestComponent(self.shares[order], self.means[order], self.covariances[order])

    def arrays(self) -> dict[str, np.ndarray]:
        """Shares, means and covariances."""
        return {"shares": self.shares, "means": self.means, "covariances": self.covariances}

    @classmethod
    def restored(cls, arrays: dict[str, np.ndarray]) -> LikeliestComponent:
        """From its arrays."""
        return cls(arrays["shares"], arrays["means"], arrays["covariances"])


def mahalanobis_squares(points: np.ndarray, mean: np.ndarray, lower: np.ndarray) -> np.ndarray:
    """Squared lengths of L^-1 (x - mean), solved feature by feature; `lower` is L, one number per point."""
    gaps = np.ascontiguousarray(points.T, dtype=np.float64) - mean[:, None]
    squares = np.zeros(len(points))
    for row in range(len(lower)):
        value = gaps[row]
        for before in range(row):
            value -= lower[row, before] * gaps[before]
        value /= lower[row, row]
        squares += value * value
    return squares


def cholesky(covariance: np.ndarray) -> np.ndarray:
    """The lower factor; where the matrix is not positive definite, of it and the least multiple of 1 that makes it so.

    ValueError for one that is not finite.
    """
    if not np.isfinite(covariance).all():
        raise ValueError("a covariance that is not finite")
    size = max(float(np.trace(covariance)) / len(covariance), 1e-12)
    for jitter in (0.0, *(size * 10.0**power for power in range(-12, 3))):
        try:
            return np.linalg.cholesky(covariance + jitter * np.eye(len(covariance)))
        except np.linalg.LinAlgError:
            continue
    raise ValueError("a covariance with negative variances")
