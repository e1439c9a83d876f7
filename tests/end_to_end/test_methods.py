"""Every method as a scheme of one run on the demo shop, against the planted personas and scikit-learn's same method."""

import json

import duckdb
import numpy as np
import pytest
from pyspark.sql import functions as F
from sklearn.cluster import DBSCAN, HDBSCAN, AgglomerativeClustering, BisectingKMeans, KMeans
from sklearn.metrics import adjusted_rand_score
from sklearn.mixture import GaussianMixture

from segspark.core.contracts import PREPARED_FEATURES, SEGMENT_MODELS, SEGMENT_RULES, USER_SEGMENTS
from segspark.core.lake import Lake
from segspark.pipeline import RunRequest, run_pipeline
from segspark.segments.methods.registry import METHODS
from segspark.shop.config import ShopConfig
from segspark.shop.generate import write_shop
from tests.end_to_end.conftest import demo_config

pytestmark = pytest.mark.slow
PERSONAS = 7
THEIRS = {
    "kmeans": lambda params: KMeans(PERSONAS, n_init=10, random_state=0),
    "bisecting": lambda params: BisectingKMeans(PERSONAS, n_init=10, random_state=0),
    "mixture": lambda params: GaussianMixture(PERSONAS, n_init=10, random_state=0),
    "ward": lambda params: AgglomerativeClustering(PERSONAS, linkage="ward"),
    "average": lambda params: AgglomerativeClustering(PERSONAS, linkage="average"),
    "dbscan": lambda params: DBSCAN(eps=params["eps"], min_samples=5),
    "hdbscan": lambda params: HDBSCAN(min_cluster_size=max(2, round(params["least"] * params["users"])), copy=True),
}
RULED = {"rfm", "activity"}


def scheme(algorithm):
    """The scheme of one method, told the number of segments where it can be told."""
    if algorithm in RULED:
        return {"algorithm": algorithm, "source": "raw"}
    is_told = algorithm not in ("dbscan", "hdbscan")
    return {"algorithm": algorithm, "splits": 1, "refits": 1, **({"k": PERSONAS} if is_told else {})}


@pytest.fixture(scope="module")
def run(spark, tmp_path_factory):
    """One run with a scheme for every method: the folder, the lake and the run's id."""
    folder = tmp_path_factory.mktemp("methods")
    write_shop(spark, ShopConfig(users=1500, days=120, seed=5), str(folder / "shop"))
    others = json.dumps({f"by_{algorithm}": scheme(algorithm) for algorithm in METHODS})
    config = demo_config(folder / "shop", folder / "lake", f"segments.others={others}", "segments.value.k=7")
    lake = Lake(spark, config.lake)
    outcome = run_pipeline(lake, config, RunRequest(only=("ingest", "features", "segments")), print)
    return folder, lake, outcome.run.run_id


@pytest.fixture(scope="module")
def planted(run):
    """The persona of each user."""
    rows = duckdb.sql(f"SELECT user_id, persona FROM read_parquet('{run[0]}/shop/truth/users/*.parquet')").df()
    return dict(zip(rows["user_id"], rows["persona"], strict=True))


def segments_of(run, name):
    rows = run[1].read_run(USER_SEGMENTS, run[2]).where(F.col("scheme") == name).select("user_id", "segment_id")
    return dict(rows.collect())


def agreement(planted, found):
    """Adjusted Rand index with the personas, over the users who were placed."""
    users = sorted(found)
    return adjusted_rand_score([planted[user] for user in users], [found[user] for user in users])


@pytest.mark.parametrize("algorithm", THEIRS)
def test_the_personas_are_found_as_well_as_by_scikit_learn(algorithm, run, planted):
    _, lake, run_id = run
    chosen = lake.read_run(SEGMENT_MODELS, run_id).where(F.col("scheme") == f"by_{algorithm}").where("chosen").first()
    rows = lake.read_run(PREPARED_FEATURES, run_id).select("user_id", "features").orderBy("user_id").collect()
    points = np.array([row.features for row in rows], dtype=float)
    theirs = THEIRS[algorithm]({**json.loads(chosen.params), "users": len(points)}).fit_predict(points)
    by_theirs = adjusted_rand_score([planted[row.user_id] for row in rows], theirs)
    ours = agreement(planted, segments_of(run, f"by_{algorithm}"))
    print(f"{algorithm}: ours {ours:.3f}, scikit-learn {by_theirs:.3f}")
    assert ours >= by_theirs - 0.02


@pytest.mark.parametrize("algorithm", sorted(set(METHODS) - set(THEIRS)))
def test_methods_without_a_peer_tell_the_personas_apart(algorithm, run, planted):
    ours = agreement(planted, segments_of(run, f"by_{algorithm}"))
    print(f"{algorithm}: ours {ours:.3f}")
    assert ours >= (0.1 if algorithm in RULED else 0.8)


def test_every_scheme_has_rules(run):
    _, lake, run_id = run
    told = {row.scheme for row in lake.read_run(SEGMENT_RULES, run_id).select("scheme").distinct().collect()}
    assert told >= {"value", *(f"by_{algorithm}" for algorithm in METHODS)}
