"""The oracle is roc_auc_score of scikit-learn, user by user, over the scores of all candidates."""

import numpy as np
import pytest
from sklearn.metrics import roc_auc_score

from segspark.recommend.factors import Factors
from segspark.recommend.interactions import BOUGHT, VIEWED
from segspark.recommend.judging.areas import user_areas
from segspark.recommend.topn import ListPlan

USERS, ITEMS, RANK = 23, 61, 4


@pytest.fixture(scope="module")
def shop():
    """Vectors with equal items, own items of two kinds, and relevant items among what is not bought yet."""
    random = np.random.default_rng(7)
    users, items = (random.normal(size=(n, RANK)).astype(np.float32) for n in (USERS, ITEMS))
    items[20:26] = items[4]
    pairs = [(user, item) for user in range(USERS) for item in range(ITEMS)]
    own = {pair: int(random.choice([VIEWED, BOUGHT])) for pair in pairs if random.random() < 0.3}
    relevant = {pair for pair in pairs if own.get(pair, 0) < BOUGHT and random.random() < 0.15 and pair[0] % 3}
    relevant |= {(1, 4), (1, 21)} - {pair for pair, action in own.items() if action == BOUGHT}
    return users, items, own, relevant


def areas(spark, shop, parts=3, **settings):
    users, items, own, relevant = shop
    plan = {"top_n": 5, "leave_out": BOUGHT, "explain": False, "user_block_rows": 4, "item_block_rows": 8, **settings}
    vectors = [
        spark.createDataFrame(
            [(no, row.tolist()) for no, row in enumerate(matrix)], f"{name} int, factors array<float>"
        )
        for name, matrix in (("user_no", users), ("item_no", items))
    ]
    own_rows = spark.createDataFrame(
        [(*pair, action) for pair, action in own.items()], "user_no int, item_no int, action int"
    )
    relevant_rows = spark.createDataFrame(sorted(relevant), "user_no int, item_no int")
    factors = Factors(*(frame.repartition(parts) for frame in vectors))
    found = user_areas(factors, own_rows.repartition(parts), relevant_rows, ListPlan(users=USERS, **plan)).collect()
    assert len({row.user_no for row in found}) == len(found)
    return {row.user_no: row.auc for row in found}


def scikit_learns(shop, leave_out=BOUGHT):
    users, items, own, relevant = shop
    found = {}
    for user in {user for user, _ in relevant}:
        candidates = [i for i in range(ITEMS) if own.get((user, i), 0) < leave_out]
        truth = [(user, item) in relevant for item in candidates]
        found[user] = roc_auc_score(truth, items[candidates].astype(float) @ users[user].astype(float))
    return found


@pytest.mark.parametrize("blocks", [(4, 8), (1, 3), (100, 100)])
def test_areas_are_scikit_learns_whatever_the_blocks_with_ties_counted_half(spark, shop, blocks):
    found = areas(spark, shop, user_block_rows=blocks[0], item_block_rows=blocks[1])
    assert found == pytest.approx(scikit_learns(shop), abs=1e-9)


def test_areas_of_popularity_are_scikit_learns_with_many_ties(spark, shop):
    _, _, own, relevant = shop
    popular = np.random.default_rng(3).integers(1, 6, size=(ITEMS, 1)).astype(np.float32)
    ties = (np.ones((USERS, 1), np.float32), popular, own, relevant)
    assert areas(spark, ties) == pytest.approx(scikit_learns(ties), abs=1e-9)


def test_with_nothing_left_out_own_items_are_candidates_and_partitions_change_nothing(spark, shop):
    found = areas(spark, shop, leave_out=None)
    assert found == pytest.approx(scikit_learns(shop, leave_out=99), abs=1e-9)
    assert found == areas(spark, shop, parts=1, leave_out=None)


def test_a_user_to_whom_every_candidate_is_relevant_has_no_area(spark, shop):
    users, items, _, _ = shop
    own = {(0, item): BOUGHT for item in range(ITEMS - 2)}
    found = areas(spark, (users, items, own, {(0, ITEMS - 2), (0, ITEMS - 1), (1, 3)}))
    assert found[0] is None
    assert set(found) == {0, 1}
