import numpy as np
import pytest

from segspark.recommend.popular import CategoryCap, lists_for_cold_users, popular_items

USERS, ITEMS, TOP_N, MOST = 12, 30, 4, 2
CATEGORY = {f"i{item:02d}": f"c{item % 4}" for item in range(ITEMS) if item % 7}


@pytest.fixture(scope="module")
def acts():
    random = np.random.default_rng(9)
    weights = random.integers(0, 9, (USERS, ITEMS)) * (random.random((USERS, ITEMS)) < 0.4)
    return {(f"u{u}", f"i{i:02d}"): float(weights[u, i]) for u, i in np.argwhere(weights)}


def ranking(acts, users):
    total = {}
    for (user, item), weight in acts.items():
        if user in users:
            total[item] = total.get(item, 0) + weight
    return sorted(total, key=lambda item: (-total[item], item))


def walk_down(ranked, seen, most):
    taken = []
    for item in ranked:
        same = [other for other in taken if item in CATEGORY and CATEGORY.get(other) == CATEGORY[item]]
        if item not in seen and len(same) < most and len(taken) < TOP_N:
            taken.append(item)
    return taken


@pytest.mark.parametrize("most", [None, MOST])
def test_a_cold_users_list_is_a_walk_down_the_segments_list_and_then_everybodys(spark, acts, most):
    interactions = spark.createDataFrame(
        [(*key, w) for key, w in acts.items()], "user_id string, item_id string, weight double"
    )
    segments = spark.createDataFrame(
        [(f"u{u}", u % 2) for u in range(USERS)] + [("cold", 1)], "user_id string, segment_id int"
    )
    seen = {("cold", item) for item in ranking(acts, {f"u{u}" for u in range(1, USERS, 2)})[1:4]}
    cold = spark.createDataFrame([("cold",), ("lost",)], "user_id string")
    seen_rows = spark.createDataFrame(list(seen), "user_id string, item_id string")
    categories = spark.createDataFrame(list(CATEGORY.items()), "item_id string, category string")
    closed = spark.createDataFrame([("i08",)], "item_id string")
    missed = len(seen)
    length = TOP_N + missed if most is None else (TOP_N + 1) * (missed + 1)
    cap = None if most is None else CategoryCap(categories, most + missed)
    popular = popular_items(interactions, segments, closed, length, cap)
    rows = lists_for_cold_users(cold, segments, popular, seen_rows, TOP_N, most).collect()
    everybody = ranking(acts, {f"u{u}" for u in range(USERS)})
    own = ranking(acts, {f"u{u}" for u in range(1, USERS, 2)})
    joined = own + [item for item in everybody if item not in own]
    for user, ranked in (("cold", joined), ("lost", everybody)):
        listed = [row.item_id for row in sorted(rows, key=lambda row: row["rank"]) if row.user_id == user]
        left = [item for item in ranked if item != "i08"]
        assert listed == walk_down(left, {item for who, item in seen if who == user}, most or ITEMS)
