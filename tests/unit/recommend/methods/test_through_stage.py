"""Every method through the stages that make and judge lists, on the shop with planted tastes."""

import pytest

from segspark.core.contracts import ITEMS, RECOMMENDATION_METRICS, RECOMMENDATIONS, USER_SIMILARITY
from segspark.core.lake import Lake
from segspark.recommend.config import EvaluationConfig, RecommendConfig
from segspark.recommend.stage import build_recommendations, build_similarity, evaluate_recommendations, fit_factors
from tests.builders import rows_of
from tests.unit.recommend.test_stage import ITEMS_OF, USERS, bought, context_of, stock_shop, told

pytestmark = pytest.mark.slow
METHODS = ("als", "item_cf", "user_cf", "content", "hybrid")
EVALUATION = EvaluationConfig(bootstrap_rounds=60, k=3, test_days=24)  # and the mix is learnt on the 24 before
CONFIG = RecommendConfig(
    rank=4, iterations=3, reg_param=0.05, top_n=3, methods=METHODS, hybrid_of=METHODS[:3], evaluation=EVALUATION
)


@pytest.fixture(scope="module")
def results(spark, tmp_path_factory):
    lake = Lake(spark, str(tmp_path_factory.mktemp("methods") / "lake"))
    stock_shop(lake, spark)
    brands = [{"item_id": item, "brand": f"half {half}"} for half, items in enumerate(ITEMS_OF) for item in items]
    lake.upsert(ITEMS, rows_of(spark, ITEMS, *(brand | {"stock": int(brand["item_id"] != "a0")} for brand in brands)))
    stages = (fit_factors, build_recommendations, evaluate_recommendations)
    done = [stage(context_of(lake), CONFIG) for stage in stages]
    return lake, done


@pytest.fixture(scope="module")
def lists(results):
    rows = results[0].read_run(RECOMMENDATIONS, "r-1").collect()
    return {name: [row for row in rows if row.method == name] for name in (*METHODS, "popularity")}


@pytest.mark.parametrize("method", METHODS)
def test_lists_hold_what_is_new_to_the_user_and_in_stock_from_the_users_half(method, lists):
    has = {(row["user_id"], row["item_id"]) for row in bought()}
    rows = lists[method]
    assert {row.user_id for row in rows} == set(USERS)
    assert not has & {(row.user_id, row.item_id) for row in rows}
    assert "a0" not in {row.item_id for row in rows}
    first = [row for row in rows if row["rank"] == 1]
    own_half = [row.item_id in ITEMS_OF[USERS.index(row.user_id) % 2] for row in first]
    assert all(own_half)
    assert len({(row.user_id, row["rank"]) for row in rows}) == len(rows)


@pytest.mark.parametrize("method", ["item_cf", "content", "hybrid"])
def test_the_reason_is_an_item_that_the_user_bought(method, lists):
    has = {(row["user_id"], row["item_id"]) for row in bought()}
    reasons = [(row.user_id, row.reason.removeprefix("because you bought ")) for row in lists[method]]
    assert reasons and set(reasons) <= has


def test_users_without_a_vector_still_get_what_is_popular(lists):
    assert {row.user_id for row in lists["popularity"]} == {"cold", "lost"}


def test_the_mix_is_told_and_every_method_is_judged(results):
    lake, (_, made, judged) = results
    for notes in (made.notes, judged.notes):
        (note,) = (note for note in notes if note.startswith("hybrid: "))
        assert "ndcg_at_k" in note and "users" in note
    rows = lake.read_run(RECOMMENDATION_METRICS, "r-1").where("metric = 'ndcg_at_k'").collect()
    found = {row.method: row.value for row in rows}
    assert set(found) >= {*METHODS, "popularity", "segment_popularity", "hybrid-popularity"}
    assert min(found[name] for name in METHODS) > found["popularity"]


def test_above_the_bound_users_are_compared_by_factors_in_cells_and_the_recall_is_told(results):
    lake, _ = results
    few = CONFIG.model_copy(update={"user_similarity_max_users": 5, "user_cells": 4, "user_cells_probed": 4})
    done = build_similarity(context_of(lake), few)
    (note,) = done.notes
    assert "in 4 cells, 4 probed, 100.0% of the exact neighbours of 24 users" in note
    rows = lake.read_run(USER_SIMILARITY, "r-1").collect()
    assert {row.method for row in rows} == {"factors"} and len(rows) == len(USERS)
    for row in rows:
        first = row.neighbours[0]
        assert USERS.index(first.neighbour_id) % 2 == USERS.index(row.user_id) % 2


def test_neighbours_that_the_stage_similarity_wrote_are_read_and_give_the_same_lists(results, lists):
    lake, _ = results
    config = CONFIG.model_copy(
        update={"methods": ("item_cf", "user_cf", "content"), "similarity": ("cosine", "content")}
    )
    build_similarity(context_of(lake), config)
    told.clear()
    build_recommendations(context_of(lake), config)
    assert [line.split(":")[0] for line in told[1:]] == ["lists by item_cf", "lists by user_cf", "lists by content"]
    rows = lake.read_run(RECOMMENDATIONS, "r-1").collect()
    for method in config.methods:
        assert sorted(row for row in rows if row.method == method) == sorted(lists[method])


def test_every_product_behind_lists_from_neighbours_is_planned_and_told(results):
    lake, _ = results
    config = CONFIG.model_copy(update={"methods": METHODS[1:4], "similarity": ("pearson",)})
    build_similarity(context_of(lake), config)  # of no use for lists
    told.clear()
    build_recommendations(context_of(lake), config)
    assert [line.split(":")[0] for line in told[1:]] == [
        "item similarity",
        "lists by item_cf",
        "user similarity",
        "lists by user_cf",
        "content similarity",
        "lists by content",
    ]
