import numpy as np
import pytest
from pyspark.sql import functions as F
from sklearn.cluster import KMeans

from segspark.segments.config import SchemeConfig
from segspark.segments.methods.method import Everyone
from segspark.segments.micro import counted, micro_clusters, micro_clusters_of_everyone
from segspark.segments.shortlist import nearest_anchor
from tests.unit.segments.blobs import blobs, vectors_of

POINTS, GROUPS = blobs([[0, 0], [6, 0], [0, 6]], [3000, 2000, 1000])


def test_micro_clusters_are_additive_summaries_of_every_user():
    micro = micro_clusters(POINTS, 200, seed=7)
    assert 150 < len(micro.points) <= 200
    assert micro.weights.sum() == len(POINTS)
    assert micro.weights @ micro.points / 6000 == pytest.approx(POINTS.mean(axis=0), abs=1e-6)


def test_there_are_more_of_them_where_there_are_more_users_and_none_holds_many():
    micro = micro_clusters(POINTS, 200, seed=7)
    groups = np.argmin(((micro.points[:, None] - np.array([[0, 0], [6, 0], [0, 6]])) ** 2).sum(axis=2), axis=1)
    counts = np.bincount(groups)
    assert counts[0] > counts[1] > counts[2] > 20
    assert micro.weights.max() < 0.03 * len(POINTS)


def test_users_lie_nearly_as_close_to_them_as_to_the_centres_of_a_full_kmeans():
    micro = micro_clusters(POINTS, 200, seed=7)
    theirs = KMeans(len(micro.points), n_init=1, random_state=0).fit(POINTS)
    assert nearest_anchor(POINTS, micro.points)[1].sum() < 1.25 * theirs.inertia_


def test_where_users_are_few_each_distinct_one_is_its_own():
    micro = micro_clusters(np.array([[1.0], [2.0], [1.0], [5.0]]), 3, seed=7)
    assert (micro.points.ravel().tolist(), micro.weights.tolist()) == ([1.0, 2.0, 5.0], [2.0, 1.0, 1.0])


def test_everyone_is_counted_wherever_rows_lie(spark):
    vectors = vectors_of(spark, POINTS[:600])
    centres = np.vstack([micro_clusters(POINTS[:200], 30, seed=7).points, [[99.0, 99.0]]])
    one = counted(Everyone(vectors.coalesce(1), 600), centres)
    other = counted(Everyone(vectors.repartition(3, F.rand(1)), 600), centres)
    assert len(one.points) == len(centres) - 1
    assert one.weights.sum() == 600
    assert one.weights @ one.points / 600 == pytest.approx(POINTS[:600].mean(axis=0), abs=1e-5)
    assert (one.points == other.points).all() and (one.weights == other.weights).all()
    config = SchemeConfig(micro_clusters=50, fit_sample=300)
    assert micro_clusters_of_everyone(Everyone(vectors, 600), config, 7).weights.sum() == 600
