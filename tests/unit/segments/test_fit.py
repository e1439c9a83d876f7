from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from pyspark.sql import functions as F
from sklearn.cluster import KMeans
from sklearn.metrics import adjusted_rand_score

from segspark.core.contracts import SEGMENT_MODEL_ARRAYS, frame_of
from segspark.segments.assign import assign
from segspark.segments.choice import best, try_candidates
from segspark.segments.config import SchemeConfig
from segspark.segments.fit import count_under, fit_scheme
from segspark.segments.keeping import array_rows, model_from
from segspark.segments.methods.method import Everyone
from segspark.segments.methods.registry import METHODS
from segspark.segments.placement import NearestCentre
from segspark.segments.sample import sample_vectors
from tests.unit.segments.blobs import blobs, vectors_of

WHOLESALE = Path(__file__).resolve().parents[4] / "shared" / "data" / "wholesale" / "wholesale_customers.csv"
QUICK = {"splits": 1, "starts": 5, "fit_starts": 1, "sample": 1000}


def segments(vectors, users, config):
    """Each user's row of the assignment, in the order of user_id; and how the fit went."""
    sample = sample_vectors(vectors, config.sample, users, 7)
    candidates = METHODS[config.algorithm].candidates(config, sample.points)
    chosen = best(try_candidates(sample, candidates, config, 7))
    fitted = fit_scheme(Everyone(vectors, users), sample, chosen, config, 7)
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
    assert fitted.final["fitted_by"] in ("sample of 400", "candidate")


def test_placements_are_compared_by_what_they_cost_everyone(spark):
    points = np.array([[0.0], [1.0], [10.0], [11.0], [30.0]])
    alternatives = [NearestCentre(np.array(c)) for c in ([[0.5], [10.5], [30.0]], [[0.0], [1.0], [17.0]])]
    good, bad = count_under(Everyone(vectors_of(spark, points), 5), alternatives, width=1)
    assert (good.sizes.tolist(), good.costs.tolist()) == ([2, 2, 1], [0.5, 0.5, 0.0])
    assert good.means.tolist() == [[0.5], [10.5], [30.0]]
    assert (bad.sizes.tolist(), bad.costs.tolist()) == ([1, 1, 3], [0.0, 0.0, 49.0 + 36.0 + 169.0])
    assert bad.means.tolist() == [[0.0], [1.0], [17.0]]


def test_a_model_comes_back_from_its_rows_as_it_was(spark):
    points, _ = blobs([[0, 0], [5, 0], [0, 5]], [30, 20, 10])
    _, fitted = segments(vectors_of(spark, points), 60, SchemeConfig(k=3, **QUICK))
    rows = array_rows("value", fitted.model)
    back = model_from(frame_of(spark, SEGMENT_MODEL_ARRAYS, rows).toPandas().to_dict("records"))
    assert back.placement.kind == fitted.model.placement.kind
    for name in ("ids", "centres", "sizes", "origin", "axes"):
        np.testing.assert_array_equal(getattr(back, name), getattr(fitted.model, name))
    assert (back.placement.place(points).number == fitted.model.placement.place(points).number).all()


@pytest.mark.skipif(not WHOLESALE.exists(), reason="../shared/data/wholesale is not on this machine")
def test_two_segments_of_the_wholesale_customers_follow_their_channel(spark):
    customers = pd.read_csv(WHOLESALE)
    spending = np.log(customers.drop(columns=["Channel", "Region"]))
    standardised = (spending - spending.mean()) / spending.std(ddof=0)
    found, _ = segments(vectors_of(spark, standardised.to_numpy()), len(customers), SchemeConfig(k=2, **QUICK))
    assert adjusted_rand_score(customers["Channel"], found["segment_id"]) == pytest.approx(0.39, abs=0.02)
