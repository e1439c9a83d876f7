"""The proofs that results are the same can fail, and count as hand arithmetic and other libraries do."""

from math import log2

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from sklearn.cluster import KMeans

from benchmarks.als.comparison import ndcg
from benchmarks.kmeans import comparison as kmeans
from benchmarks.similarity import comparison as similarity
from benchmarks.vectors import read_vectors, write_vectors


def test_ndcg_of_a_hit_on_the_second_place_and_of_a_miss():
    lists = pd.DataFrame({"user_id": ["a", "a", "b"], "rank": [1, 2, 1], "item_id": ["x", "y", "x"]})
    held_out = pd.DataFrame({"user_id": ["a", "b"], "item_id": ["y", "z"]})
    assert ndcg(lists, held_out, 10) == pytest.approx((1 / log2(3) + 0) / 2)


def test_costs_of_clusters_are_scikit_learns_inertia_and_a_bad_clustering_is_told(tmp_path):
    write_vectors(2_000, tmp_path / "vectors")
    users, points = read_vectors(tmp_path / "vectors")
    model = KMeans(8, n_init=1, random_state=0).fit(points.astype(np.float64))
    cost = model.inertia_ / len(points)
    for name, labels in (("good", model.labels_), ("bad", np.arange(2_000) % 8)):
        pq.write_table(pa.table({"user_id": users, "label": labels}), tmp_path / name)
    assert kmeans.cost_per_user(users.to_numpy(), points, tmp_path / "good") == pytest.approx(cost, rel=1e-4)
    found = {"scikit-learn": tmp_path / "good", "ours, full": tmp_path / "bad"}
    assert [check.passed for check in kmeans.check({"vectors": str(tmp_path / "vectors")}, found)] == [False]


@pytest.mark.parametrize(
    "change",
    [
        pytest.param({}, id="same"),
        pytest.param({"similarity": [0.9, 0.5001]}, id="another similarity"),
        pytest.param({"neighbour_id": ["q", "c"]}, id="another neighbour"),
    ],
)
def test_similarities_that_differ_are_told(tmp_path, change):
    rows = {"item_id": ["a", "a"], "rank": [1, 2], "neighbour_id": ["b", "c"], "similarity": [0.9, 0.5]}
    paths = {"scipy": tmp_path / "scipy", "ours": tmp_path / "ours"}
    pd.DataFrame(rows).to_parquet(paths["scipy"])
    pd.DataFrame({**rows, **change}).to_parquet(paths["ours"])
    assert similarity.check({}, paths)[0].passed is (change == {})
