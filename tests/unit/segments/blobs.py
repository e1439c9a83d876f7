"""Points with known groups, as matrices, samples and frames."""

import numpy as np
from pyspark.sql import DataFrame, SparkSession

from segspark.segments.sample import VectorSample

VECTORS = "user_id string, features array<float>"


def blobs(centres, sizes, spread=0.5, seed=1):
    """Normal points around the centres, mixed up, in float32's precision; and the group of each."""
    random = np.random.default_rng(seed)
    groups = random.permutation(np.repeat(np.arange(len(sizes)), sizes))
    points = np.asarray(centres, dtype=float)[groups] + random.normal(size=(len(groups), len(centres[0]))) * spread
    return points.astype(np.float32).astype(np.float64), groups


def sample_of(points, seed=5) -> VectorSample:
    """A sample as the hash would choose it: every point with random bits."""
    bits = np.random.default_rng(seed).integers(0, 2**62, size=len(points))
    return VectorSample(np.asarray(points, dtype=float), bits)


def vectors_of(spark: SparkSession, points) -> DataFrame:
    """One user per point: u00000, u00001 and so on."""
    rows = [(f"u{number:05d}", [float(value) for value in point]) for number, point in enumerate(points)]
    return spark.createDataFrame(rows, VECTORS)
