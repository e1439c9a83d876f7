from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from pyspark.sql import functions as F
from sklearn.cluster import KMeans
from sklearn.metrics import adjusted_rand_score

from segspark.segments.assign import assign
from segspark.segments.choice import best, try_candidates
from segspark.segments.config import SchemeConfig
from segspark.segments.fit import count_under, fit_scheme
from segspark.segments.sample import sample_vectors
from tests.unit.segments.blobs import blobs, vectors_of

WHOLESALE = Path(__file__).resolve().parents[4] / "shared" / "data" / "wholesale" / "wholesale_customers.csv"
QUICK = {"splits": 1, "starts": 5, "fit_starts": 1, "sample": 1000}


def segments(vectors, users, config):
    """Each user's row of the assignment, in the order of user_id; and how the fit went."""
    sample = sample_vectors(vectors, config.sample, users, 7)
    chosen = best(try_candidates(sample, config.candidates, config, 7))
    fitted = fit_scheme(vectors, sample, chosen, users, config, 7)
    return assign(vectors, fitted.model).orderBy("user_id").toPandas(), fitted


def test_the_fit_on_everyone_gives_the_partition_of_scikit_learn(spark):
    points, _ = blobs([[0, 0], [5, 0], [0, 5]], [300, 200, 100], spread=0.6)
    config = SchemeConfig(k=3, **{**QUICK, "sample": 100})
    found, fitted = segments(vectors_of(spark, points), 600, config)
    theirs = KMeans(3, n_init=10, random_state=0).fit(points)
    assert adjusted_rand_score(theirs.labels_, found["segment_id"]) == 1.0
    assert fitted.model.sizes.tolist() == [300, 200, 100]
    assert np.bincount(found["segment_id"]).tolist() == [300, 200, 100]
    by_size = theirs.cluster_centers_[np.argsort(-np.bincount(theirs.labels_))]
    assert fitted.model.centres == pytest.approx(by_size, abs=1e-5)


def test_neither_order_nor_partitions_of_the_input_change_a_users_row(spark):
    points, _ = blobs([[0, 0, 0], [1, 0, 0], [0, 1, 1]], [300, 200, 100], spread=0.6)
    config = SchemeConfig(k=4, fit_partitions=3, **QUICK)
    vectors = vectors_of(spark, points)
    together, _ = segments(vectors.coalesce(1), 600, config)
    scattered, _ = segments(vectors.repartition(7, F.rand(3)), 600, config)
    assert [tuple(place) for place in together.pop("pca")] == [tuple(place) for place in scattered.pop("pca")]
    pd.testing.assert_frame_equal(together, scattered, check_exact=True)


def test_a_fit_on_a_sample_assigns_everyone_and_costs_hardly_more(spark):
    points, groups = blobs([[0, 0], [4, 0], [0, 4]], [700, 500, 300])
    vectors = vectors_of(spark, points)
    config = SchemeConfig(k=3, fit="sample", fit_sample=400, **QUICK)
    found, fitted = segments(vectors, 1500, config)
    assert adjusted_rand_score(groups, found["segment_id"]) > 0.99
    assert (found["distance"] ** 2).sum() <= 1.01 * KMeans(3, n_init=10, random_state=0).fit(points).inertia_
    assert '"centres_from": "sample of 400"' in fitted.params or '"centres_from": "candidate"' in fitted.params


def test_centres_are_compared_by_what_they_cost_everyone(spark):
    points = np.array([[0.0], [1.0], [10.0], [11.0], [30.0]])
    good, bad = np.array([[0.5], [10.5], [30.0]]), np.array([[0.0], [1.0], [17.0]])
    (sizes, cost), (bad_sizes, bad_cost) = count_under(vectors_of(spark, points), [good, bad])
    assert (sizes.tolist(), cost.tolist()) == ([2, 2, 1], [0.5, 0.5, 0.0])
    assert (bad_sizes.tolist(), bad_cost.tolist()) == ([1, 1, 3], [0.0, 0.0, 49.0 + 36.0 + 169.0])


@pytest.mark.skipif(not WHOLESALE.exists(), reason="../shared/data/wholesale is not on this machine")
def test_two_segments_of_the_wholesale_customers_follow_their_channel(spark):
    customers = pd.read_csv(WHOLESALE)
    spending = np.log(customers.drop(columns=["Channel", "Region"]))
    standardised = (spending - spending.mean()) / spending.std(ddof=0)
    found, _ = segments(vectors_of(spark, standardised.to_numpy()), len(customers), SchemeConfig(k=2, **QUICK))
    assert adjusted_rand_score(customers["Channel"], found["segment_id"]) == pytest.approx(0.39, abs=0.02)
