"""Every measure through the stage, on odd ids and odd ratings."""

import numpy as np
import pytest

from segspark.core.contracts import (
    ITEM_INDEX,
    ITEM_SIMILARITY,
    ITEMS,
    RATINGS,
    USER_FEATURES,
    USER_INDEX,
    USER_ITEM_DAYS,
    USER_SIMILARITY,
)
from segspark.core.lake import Lake
from segspark.core.stage import Run, StageContext
from segspark.recommend.config import RecommendConfig
from segspark.recommend.stage import build_similarity
from tests.builders import at, day, rows_of
from tests.unit.recommend.neighbours import dense

pytestmark = pytest.mark.slow

AS_OF = day("2024-04-01")
ALL = RecommendConfig(similarity=("cosine", "adjusted_cosine", "pearson", "content"), similarity_block_rows=3)
USERS = sorted(["9223372036854775807", "a,b", "even", "u1", "u2", "🦊"])
THINGS = sorted(["18446744073709551615", "i,1", "i2", "i3", "🎁"])
RANDOM = np.random.default_rng(2)
SEEN = RANDOM.random((len(USERS), len(THINGS))) < 0.8
STARS = RANDOM.integers(1, 6, SEEN.shape).astype(float)
STARS[USERS.index("even")] = 3  # all ratings equal


def ratings():
    """Each pair's last rating is in STARS; before it, another; NaN is nobody's rating."""
    for user, item in zip(*SEEN.nonzero(), strict=True):
        row = {"user_id": USERS[user], "item_id": THINGS[item], "ingest_seq": 1}
        for on, value in (("03-01", 1.0), ("03-02", STARS[user, item].item()), ("03-03", float("nan"))):
            yield {**row, "rating": value, "rated_at": at(f"2024-{on} 12:00"), "day": day(f"2024-{on}")}


def stock(lake, spark, rated):
    numbers = [(USER_INDEX, "user", USERS), (ITEM_INDEX, "item", THINGS)]
    for contract, kind, ids in numbers:
        rows = [{f"{kind}_id": name, f"{kind}_no": number} for number, name in enumerate(ids)]
        lake.replace_run(contract, rows_of(spark, contract, *rows), "r-1")
    acts = [
        {"user_id": USERS[u], "item_id": THINGS[i], "day": day("2024-03-01"), "views": 1 + (u + i) % 3}
        for u, i in np.argwhere(SEEN).tolist()
    ]
    lake.replace_days(USER_ITEM_DAYS, rows_of(spark, USER_ITEM_DAYS, *acts), {day("2024-03-01")})
    people = [{"user_id": user, "as_of": AS_OF, "is_bot": False} for user in [*USERS, "without acts"]]
    lake.replace_run(USER_FEATURES, rows_of(spark, USER_FEATURES, *people), "r-1")
    things = [{"item_id": item, "category": "toys" if item < "i" else "hats"} for item in [*THINGS, "never seen"]]
    lake.upsert(ITEMS, rows_of(spark, ITEMS, *things))
    if rated:
        lake.append(RATINGS, rows_of(spark, RATINGS, *ratings()))


def built(spark, folder, rated, config=ALL):
    lake = Lake(spark, str(folder / "lake"))
    stock(lake, spark, rated)
    result = build_similarity(StageContext(lake, Run("r-1", AS_OF, ingest_seq=5, seed=7)), config)
    return lake, result


@pytest.fixture(scope="module")
def results(spark, tmp_path_factory):
    return built(spark, tmp_path_factory.mktemp("measures"), rated=True)


def items_by(lake, method):
    rows = lake.read_run(ITEM_SIMILARITY, "r-1").where(f"method = '{method}'").collect()
    return sorted((THINGS.index(r.item_id), r["rank"], THINGS.index(r.neighbour_id), r.similarity) for r in rows)


@pytest.mark.parametrize("method", ["adjusted_cosine", "pearson"])
def test_ratings_where_there_are_any_decide_and_of_a_pair_the_last(results, method):
    expected = dense.neighbours(dense.similarity(STARS.T, SEEN.T, method), 50, keeps_negative=True)
    found = items_by(results[0], method)
    assert [row[:3] for row in found] == [row[:3] for row in expected]
    assert [row[3] for row in found] == pytest.approx([row[3] for row in expected], abs=1e-9)


def test_users_are_compared_by_every_measure_but_content_and_equal_ratings_have_no_correlation(results):
    rows = results[0].read_run(USER_SIMILARITY, "r-1").collect()
    found = {(row.method, row.user_id): row.neighbours for row in rows}
    assert {method for method, _ in found} == {"cosine", "adjusted_cosine", "pearson"}
    assert ("pearson", "even") not in found
    assert ("cosine", "even") in found
    assert ("cosine", "without acts") not in found
    near = dense.neighbours(dense.similarity(STARS, SEEN, "pearson"), 20, keeps_negative=True)
    fox = [(USERS[other], similar) for row, _, other, similar in near if USERS[row] == "🦊"]
    assert [each.neighbour_id for each in found["pearson", "🦊"]] == [name for name, _ in fox]
    assert [each.similarity for each in found["pearson", "🦊"]] == pytest.approx([s for _, s in fox], abs=1e-9)


def test_content_finds_items_of_the_same_category(results):
    lake, result = results
    alike = {(row[0], row[2]) for row in items_by(lake, "content")}
    toys = {number for number, item in enumerate(THINGS) if item < "i"}
    assert alike == {(a, b) for a in range(5) for b in range(5) if a != b and (a in toys) == (b in toys)}
    assert result.rows["item_similarity"] == lake.read_run(ITEM_SIMILARITY, "r-1").count()


def test_without_ratings_pearson_goes_by_weights(spark, tmp_path):
    config = ALL.model_copy(update={"similarity": ("pearson", "content"), "half_life_days": None})
    lake, _ = built(spark, tmp_path, rated=False, config=config)
    weights = np.add.outer(np.arange(len(USERS)), np.arange(len(THINGS))) % 3 + 1.0
    expected = dense.neighbours(dense.similarity(weights.T, SEEN.T, "pearson"), 50, keeps_negative=True)
    assert [row[:3] for row in items_by(lake, "pearson")] == [row[:3] for row in expected]


def test_a_measure_named_twice_or_none_is_refused():
    for wrong in ((), ("cosine", "cosine"), ("manhattan",)):
        with pytest.raises(ValueError, match="similarity"):
            RecommendConfig(similarity=wrong)
    with pytest.raises(ValueError, match="content_weights"):
        RecommendConfig(content_weights=dict.fromkeys(ALL.content_weights.model_dump(), 0))
