"""Points with known groups, as matrices, samples and frames."""

from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from pyspark.sql import DataFrame, SparkSession
from sklearn.datasets import make_circles, make_moons

from segspark.segments.sample import VectorSample

WHOLESALE = Path(__file__).resolve().parents[4] / "shared" / "data" / "wholesale" / "wholesale_customers.csv"
needs_wholesale = pytest.mark.skipif(not WHOLESALE.exists(), reason="../shared/data/wholesale is not on this machine")

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


def wholesale():
    """Logarithms of what 440 wholesale customers spend, standardised; and the channel of each."""
    customers = pd.read_csv(WHOLESALE)
    spending = np.log(customers.drop(columns=["Channel", "Region"]))
    return ((spending - spending.mean()) / spending.std(ddof=0)).to_numpy(), customers["Channel"].to_numpy()


def moons(users=1000):
    """Two crescents, each in the other's hollow."""
    return make_moons(users, noise=0.06, random_state=4)


def rings(users=1000):
    """A ring around a ring."""
    return make_circles(users, noise=0.04, factor=0.4, random_state=4)
