"""What was planted in the demo shop is found again. The truth lies beside the shop; no run reads it."""

import duckdb
import pytest
from pyspark.sql import functions as F
from sklearn.cluster import KMeans
from sklearn.metrics import adjusted_rand_score, precision_recall_fscore_support
from sklearn.preprocessing import StandardScaler

from segspark.core.contracts import RECOMMENDATION_METRICS, SEGMENTS, USER_SEGMENTS
from segspark.pipeline import RunRequest
from segspark.shop.config import ShopConfig
from segspark.shop.generate import write_shop

pytestmark = pytest.mark.slow
SEEDS = [7, 8, 9]
TO_SEGMENTS = ("ingest", "features", "segments")
NAMES = {  # of the segments, by the planted persona
    "high_value": "high-value",
    "young": "young",
    "economy": "economy",
    "loyal": "loyal",
    "frequent": "frequent buyers",
    "rare_big_basket": "rare big-basket buyers",
    "new_product_taster": "new-product tasters",
}


def truth_of(folder):
    """user_id, persona and the latent columns of every user but the bots."""
    rows = duckdb.sql(f"SELECT * FROM read_parquet('{folder}/truth/users/*.parquet') WHERE NOT is_bot").df()
    return rows.set_index("user_id")


def recovered(lake, run_id, truth):
    """The adjusted Rand index of the value segments against the planted personas."""
    rows = lake.read_run(USER_SEGMENTS, run_id).where(F.col("scheme") == "value").select("user_id", "segment_id")
    labels = dict(rows.collect())
    return adjusted_rand_score(truth["persona"], [labels.get(user, -1) for user in truth.index])


@pytest.fixture(scope="module", params=SEEDS)
def demo_run(request, spark, run_pipeline_on, tmp_path_factory):
    folder = tmp_path_factory.mktemp(f"demo-{request.param}")
    write_shop(spark, ShopConfig(seed=request.param), str(folder / "shop"))
    return run_pipeline_on(folder, RunRequest(only=(*TO_SEGMENTS, "factors", "evaluate")))


def test_the_value_segments_are_the_planted_personas_under_their_names(demo_run):
    folder, lake, run_id = demo_run
    assert recovered(lake, run_id, truth_of(folder / "shop")) >= 0.80
    rows = lake.read_run(SEGMENTS, run_id).where("scheme = 'value'").select("name").collect()
    assert {row.name for row in rows} == set(NAMES.values())


def test_each_persona_is_found_under_its_name_with_precision_and_recall(demo_run):
    folder, lake, run_id = demo_run
    planted = truth_of(folder / "shop")["persona"].map(NAMES)
    rows = lake.read_run(USER_SEGMENTS, run_id).where("scheme = 'value'").select("user_id", "segment_name")
    named = dict(rows.collect())
    found = [named.get(user, "nobody") for user in planted.index]
    names = sorted(NAMES.values())
    precision, recall, _, _ = precision_recall_fscore_support(planted, found, labels=names, zero_division=0.0)
    told = {name: (float(p), float(r)) for name, p, r in zip(names, precision, recall, strict=True)}
    assert min(precision.min(), recall.min()) >= 0.75, told


def test_als_is_at_least_twice_as_good_as_popularity_later_in_time(demo_run):
    _, lake, run_id = demo_run
    rows = lake.read_run(RECOMMENDATION_METRICS, run_id).where("metric = 'ndcg_at_k' AND method = 'als'").collect()
    assert rows[0].value >= 2 * rows[0].popularity_value > 0


@pytest.mark.parametrize("seed", SEEDS)
def test_overlapping_personas_are_found_as_well_as_from_what_the_generator_knew(
    seed, spark, run_pipeline_on, tmp_path_factory
):
    folder = tmp_path_factory.mktemp(f"hard-{seed}")
    write_shop(spark, ShopConfig(preset="hard", seed=seed), str(folder / "shop"))
    truth = truth_of(folder / "shop")
    latent = StandardScaler().fit_transform(truth.filter(like="latent_").fillna(0.0))
    by_sklearn = KMeans(7, n_init=10, random_state=0).fit_predict(latent)
    known = adjusted_rand_score(truth["persona"], by_sklearn)
    assert 0.80 <= known <= 0.90
    _, lake, run_id = run_pipeline_on(folder, RunRequest(only=TO_SEGMENTS))
    assert recovered(lake, run_id, truth) >= known - 0.02
