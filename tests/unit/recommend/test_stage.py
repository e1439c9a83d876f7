"""The room from days to tables, on a shop with planted tastes: a user buys within one of two halves of the items."""

import re
from datetime import timedelta

import numpy as np
import pytest

from segspark.core.contracts import (
    ITEM_SIMILARITY,
    ITEMS,
    RATINGS,
    RECOMMENDATION_METRICS,
    RECOMMENDATIONS,
    SEGMENTS,
    USER_FACTORS,
    USER_FEATURES,
    USER_ITEM_DAYS,
    USER_SEGMENTS,
    USER_SIMILARITY,
)
from segspark.core.lake import Lake
from segspark.core.stage import Run, StageContext
from segspark.recommend.config import EvaluationConfig, RecommendConfig
from segspark.recommend.stage import build_recommendations, build_similarity, evaluate_recommendations, fit_factors
from tests.builders import at, day, rows_of

pytestmark = pytest.mark.slow
AS_OF = day("2024-04-01")
CONFIG = RecommendConfig(
    rank=4, iterations=3, top_n=3, max_per_category=2, reg_param=0.05, evaluation=EvaluationConfig(bootstrap_rounds=100)
)
USERS = ["9223372036854775807", "a,b", "🦊", *(f"u{number}" for number in range(21))]
ITEMS_OF = [["🎁", "i,1", *(f"a{n}" for n in range(8))], ["18446744073709551615", *(f"b{n}" for n in range(9))]]


CATEGORY = {item: f"{half} {place % 2}" for half, items in enumerate(ITEMS_OF) for place, item in enumerate(items)}
told = []


def context_of(lake):
    return StageContext(lake, Run("r-1", AS_OF, ingest_seq=5, seed=7), told.append)


def bought():
    """Every user buys 6 of the 10 items of one half, one a day: 4 in February, 2 in the last month."""
    random = np.random.default_rng(1)
    for number, user in enumerate(USERS):
        items = random.permutation(ITEMS_OF[number % 2])[:6]
        for place, item in enumerate(items):
            on = day("2024-02-10") + timedelta(days=place) if place < 4 else day("2024-03-10") + timedelta(days=place)
            yield {"user_id": user, "item_id": str(item), "day": on, "order_lines": 1, "category": CATEGORY[str(item)]}


def stock_shop(lake, spark):
    bot = [{"user_id": "bot", "item_id": "b8", "day": day("2024-03-20"), "order_lines": 10**6}]
    rows = [*bought(), *bot]
    lake.replace_days(USER_ITEM_DAYS, rows_of(spark, USER_ITEM_DAYS, *rows), {row["day"] for row in rows})
    features = [{"user_id": user, "as_of": AS_OF, "is_bot": user == "bot"} for user in [*USERS, "bot", "cold", "lost"]]
    lake.replace_run(USER_FEATURES, rows_of(spark, USER_FEATURES, *features), "r-1")
    segments = [{"scheme": "value", "user_id": u, "segment_id": n % 2} for n, u in enumerate(USERS)]
    segments.append({"scheme": "value", "user_id": "cold", "segment_id": 1})
    lake.replace_run(USER_SEGMENTS, rows_of(spark, USER_SEGMENTS, *segments), "r-1")
    nothing = dict.fromkeys(SEGMENTS.names)
    lake.replace_rows(SEGMENTS, [{**nothing, "scheme": "value", "segment_id": n} for n in (0, 1)], "r-1")
    stocked = [{"item_id": "a0", "stock": 0}, {"item_id": "a1", "stock": 4}, {"item_id": "b0", "stock": None}]
    lake.upsert(ITEMS, rows_of(spark, ITEMS, *stocked))
    ratings = [
        {"user_id": row["user_id"], "item_id": row["item_id"], "rating": 1.0 + number % 5, "ingest_seq": 1}
        | {"rated_at": at(f"{row['day']} 12:00"), "day": row["day"]}
        for number, row in enumerate(bought())
    ]
    lake.append(RATINGS, rows_of(spark, RATINGS, *ratings))


@pytest.fixture(scope="module")
def results(spark, tmp_path_factory):
    lake = Lake(spark, str(tmp_path_factory.mktemp("recommend") / "lake"))
    stock_shop(lake, spark)
    stages = (fit_factors, build_similarity, build_recommendations, evaluate_recommendations)
    return lake, [stage(context_of(lake), CONFIG) for stage in stages]


@pytest.fixture(scope="module")
def listed(results):
    rows = results[0].read_run(RECOMMENDATIONS, "r-1").collect()
    return {user: [row for row in rows if row.user_id == user] for user in {row.user_id for row in rows}}


def test_every_stage_says_how_many_rows_it_wrote(results):
    lake, (factors, similarity, recommendations, metrics) = results
    assert factors.rows["user_factors"] == len(USERS) == lake.read_run(USER_FACTORS, "r-1").count()
    assert similarity.rows["user_similarity"] == lake.read_run(USER_SIMILARITY, "r-1").count()
    assert recommendations.rows["recommendations"] == lake.read_run(RECOMMENDATIONS, "r-1").count()
    assert metrics.rows["recommendation_metrics"] == lake.read_run(RECOMMENDATION_METRICS, "r-1").count()


def test_everybody_but_bots_gets_a_full_list_with_ranks_without_gaps(listed):
    assert set(listed) == {*USERS, "cold", "lost"}
    assert all(sorted(row["rank"] for row in rows) == [1, 2, 3] for rows in listed.values())


def test_no_list_has_what_was_bought_or_what_is_out_of_stock(listed):
    has = {(row["user_id"], row["item_id"]) for row in bought()}
    for user, rows in listed.items():
        assert not has & {(user, row.item_id) for row in rows}
        assert "a0" not in {row.item_id for row in rows}


def test_no_list_has_more_of_one_category_than_the_cap(listed):
    categories = [[CATEGORY.get(row.item_id) for row in rows] for rows in listed.values()]
    assert max(max(map(of_list.count, of_list)) for of_list in categories) == 2


def test_the_plan_of_each_product_is_told_before_it_runs(results):
    lines = " | ".join(told)
    for plan in (
        r"item similarity: [\d,]+ multiply-adds",
        r"user similarity: .* MB a task",
        r"480 scores in blocks of 24",
    ):
        assert re.search(plan, lines), plan


def test_a_list_starts_with_the_half_of_the_shop_that_the_user_buys_in_and_says_why(listed):
    has = {(row["user_id"], row["item_id"]) for row in bought()}
    for number, user in enumerate(USERS):
        first = next(row for row in listed[user] if row["rank"] == 1)
        assert first.method == "als"
        assert first.item_id in ITEMS_OF[number % 2]
        assert first.reason.startswith("because you bought ")
        assert (user, first.reason.removeprefix("because you bought ")) in has


def test_a_cold_user_gets_what_is_popular_in_the_segment_else_overall(listed):
    assert {(row.method, row.reason) for row in listed["cold"]} == {("popularity", "popular in your segment")}
    assert {row.item_id for row in listed["cold"]} <= set(ITEMS_OF[1])
    assert {(row.method, row.reason) for row in listed["lost"]} == {("popularity", "popular")}
    assert [row.score for row in sorted(listed["lost"], key=lambda row: row["rank"])] == sorted(
        (row.score for row in listed["lost"]), reverse=True
    )


def test_similar_items_and_users_are_of_the_same_half_and_named(results):
    lake = results[0]
    neighbours = [
        (r.item_id, r.neighbour_id) for r in lake.read_run(ITEM_SIMILARITY, "r-1").where("rank <= 3").collect()
    ]
    half = {item: number for number, items in enumerate(ITEMS_OF) for item in items}
    assert neighbours and all(half[item] == half[other] for item, other in neighbours)
    users = lake.read_run(USER_SIMILARITY, "r-1").where("user_id = '🦊'").first()
    assert users.neighbours[0].similarity >= users.neighbours[-1].similarity > 0


def test_metrics_are_there_for_both_methods_and_planted_tastes_beat_popularity(results):
    rows = {(r.method, r.metric): r for r in results[0].read_run(RECOMMENDATION_METRICS, "r-1").collect()}
    als, popular, gap = (rows[m, "ndcg_at_k"] for m in ("als", "popularity", "als-popularity"))
    assert als.users == len(USERS)
    assert als.value == pytest.approx(popular.value + gap.value)
    assert als.popularity_value == popular.value
    assert gap.low > 0
    assert als.low < als.value < als.high
    assert 0 < rows["popularity", "coverage"].value <= rows["als", "coverage"].value <= 1
    assert rows["als", "auc"].value > 0.6 > rows["popularity", "auc"].value
    assert rows["segment_popularity", "ndcg_at_k"].value > popular.value
    assert rows["als_explicit", "rmse"].value > rows["als_explicit", "mae"].value > 0


@pytest.mark.parametrize("split", [{"split": "last", "last_items": 2}, {"split": "random", "test_share": 0.3}])
def test_other_splits_judge_pairs_that_the_train_part_does_not_have(results, split):
    lake, _ = results
    evaluation = EvaluationConfig(bootstrap_rounds=20, **split)
    lake.replace_run(USER_FEATURES, lake.read_run(USER_FEATURES, "r-1"), evaluation.split)  # a run without segments
    context = StageContext(lake, Run(evaluation.split, AS_OF, ingest_seq=5, seed=7))
    written = evaluate_recommendations(context, CONFIG.model_copy(update={"evaluation": evaluation}))
    rows = {(r.method, r.metric): r for r in lake.read_run(RECOMMENDATION_METRICS, evaluation.split).collect()}
    assert written.rows["recommendation_metrics"] == len(rows)
    assert rows["als", "ndcg_at_k"].value > rows["popularity", "ndcg_at_k"].value
    assert rows["als", "auc"].value > 0.6
    assert "segment_popularity" not in {method for method, _ in rows}
    if evaluation.split == "last":  # nobody has less than three items, so everybody is judged
        assert rows["als", "recall_at_k"].users == len(USERS)


def test_stages_without_interactions_are_skipped_with_a_reason(lake):
    assert "orders" in fit_factors(context_of(lake), CONFIG).skipped
    assert "factors" in build_similarity(context_of(lake), CONFIG).skipped
    assert "factors" in build_recommendations(context_of(lake), CONFIG).skipped
    assert "history" in evaluate_recommendations(context_of(lake), CONFIG).skipped
