"""A mixture of normal distributions by expectation and maximisation (Dempster, Laird and Rubin 1977)."""

from __future__ import annotations

import warnings
from typing import TYPE_CHECKING

import numpy as np
from scipy.linalg import solve_triangular
from sklearn.exceptions import ConvergenceWarning
from sklearn.mixture import GaussianMixture
from threadpoolctl import threadpool_limits

from segspark.segments.geometry import nearest
from segspark.segments.methods.kmeans import fit_centres, spread_evenly
from segspark.segments.methods.method import Everyone, Method, Params
from segspark.segments.model import as_stored
from segspark.segments.placement import Placement
from segspark.segments.placements.mixture import LikeliestComponent, cholesky
from segspark.segments.sample import sample_vectors

if TYPE_CHECKING:
    from segspark.segments.config import SchemeConfig

WIDENED = 1e-6  # added to every variance, so that no component closes around one user
LIKELIHOOD_TOLERANCE = 1e-3  # of the mean log-likelihood of a user, as scikit-learn has it


class Mixture(Method):
    """Segments of any elongation, and how sure a user's is."""

    def candidates(self, config: SchemeConfig, points: np.ndarray) -> list[Params]:
        """Every number of components that is configured."""
        return [{"k": k} for k in config.numbers]

    def fit(self, points: np.ndarray, params: Params, config: SchemeConfig, seed: int) -> Placement:
        """scikit-learn's, from where the best of several starts of K-Means ended."""
        model = GaussianMixture(
            int(params["k"]),
            reg_covar=WIDENED,
            tol=LIKELIHOOD_TOLERANCE,
            max_iter=config.max_iter,
            random_state=seed % 2**32,
            **start_of(points, int(params["k"]), config, seed),
        )
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", ConvergenceWarning)
            model.fit(points)
        return as_placement(model.weights_, model.means_, model.covariances_)

    def fit_everyone(self, everyone: Everyone, params: Params, config: SchemeConfig, seed: int) -> dict[str, Placement]:
        """MLlib's, one per start, or scikit-learn's on up to `fit_sample` users."""
        if config.fit == "sample":
            sample = sample_vectors(everyone.vectors, config.fit_sample, everyone.users, seed)
            with threadpool_limits(limits=1):
                return {f"sample of {len(sample.points)}": self.fit(sample.points, params, config, seed)}
        return full_mixtures(everyone, int(params["k"]), config, seed)


def start_of(points: np.ndarray, k: int, config: SchemeConfig, seed: int) -> dict[str, np.ndarray]:
    """Shares, means and precisions of the segments of K-Means, by scikit-learn's names."""
    centres = fit_centres(points, k, config, seed)
    label = nearest(points, centres).label if k > 1 else np.zeros(len(points), np.int64)
    sizes = np.maximum(np.bincount(label, minlength=k), 1)
    precisions = []
    for number in range(k):
        gaps = points[label == number] - centres[number]
        lower = cholesky(gaps.T @ gaps / sizes[number] + WIDENED * np.eye(points.shape[1]))
        inverse = solve_triangular(lower, np.eye(points.shape[1]), lower=True)
        precisions.append(inverse.T @ inverse)
    shares = sizes / sizes.sum()
    return {"weights_init": shares, "means_init": centres, "precisions_init": np.array(precisions)}


def full_mixtures(everyone: Everyone, k: int, config: SchemeConfig, seed: int) -> dict[str, Placement]:
    """MLlib's mixture on everyone, one per start; those with an empty or broken component are left out."""
    from pyspark.ml.clustering import GaussianMixture as SparkGaussianMixture

    ready = spread_evenly(everyone, config)
    found: dict[str, Placement] = {}
    for start in range(config.fit_starts):
        estimator = SparkGaussianMixture(k=k, seed=seed + start, maxIter=config.max_iter, tol=LIKELIHOOD_TOLERANCE)
        model = estimator.fit(ready)
        shares = np.array(model.weights)
        means = np.array([normal.mean.toArray() for normal in model.gaussians])
        covariances = np.array([normal.cov.toArray() for normal in model.gaussians])
        if np.isfinite(means).all() and np.isfinite(covariances).all() and shares.min() > 0:
            covariances += WIDENED * np.eye(means.shape[1])
            found[f"full, start {start + 1}"] = as_placement(shares, means, covariances)
    return found


def as_placement(shares: np.ndarray, means: np.ndarray, covariances: np.ndarray) -> LikeliestComponent:
    """In the precision of the table, and exactly symmetric."""
    symmetric = (covariances + covariances.transpose(0, 2, 1)) / 2.0
    return LikeliestComponent(as_stored(shares), as_stored(means), as_stored(symmetric))
