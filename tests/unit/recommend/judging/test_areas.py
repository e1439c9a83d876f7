"""The oracle is roc_auc_score of scikit-learn, user by user, over the scores of all candidates."""

import numpy as np
import pytest
from sklearn.metrics import roc_auc_score

from segspark.recommend.interactions import BOUGHT, VIEWED
from segspark.recommend.judging.areas import Areas, Pairs

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


def pairs_of(pairs):
    ordered = np.array(sorted(pairs), int).reshape(-1, 2)
    return Pairs(ordered[:, 0], ordered[:, 1])


def areas(shop, leave_out=BOUGHT, block_rows=8):
    """The area of every user who has a relevant item, the items in blocks."""
    users, items, own, relevant = shop
    left_out = pairs_of(pair for pair, action in own.items() if action >= leave_out)
    asked = pairs_of(relevant)
    found = Areas(users, asked, items[asked.item], left_out)
    for first in range(0, ITEMS, block_rows):
        block = np.arange(first, min(first + block_rows, ITEMS))
        found.meet(block, items[block])
    return dict(zip(found.asked.tolist(), found.found().tolist(), strict=True))


def scikit_learns(shop, leave_out=BOUGHT):
    users, items, own, relevant = shop
    found = {}
    for user in {user for user, _ in relevant}:
        candidates = [i for i in range(ITEMS) if own.get((user, i), 0) < leave_out]
        truth = [(user, item) in relevant for item in candidates]
        found[user] = roc_auc_score(truth, items[candidates].astype(float) @ users[user].astype(float))
    return found


@pytest.mark.parametrize("block_rows", [8, 1, 100])
def test_areas_are_scikit_learns_whatever_the_blocks_with_ties_counted_half(shop, block_rows):
    assert areas(shop, block_rows=block_rows) == pytest.approx(scikit_learns(shop), abs=1e-9)


def test_areas_of_popularity_are_scikit_learns_with_many_ties(shop):
    _, _, own, relevant = shop
    popular = np.random.default_rng(3).integers(1, 6, size=(ITEMS, 1)).astype(np.float32)
    ties = (np.ones((USERS, 1), np.float32), popular, own, relevant)
    assert areas(ties) == pytest.approx(scikit_learns(ties), abs=1e-9)


def test_with_nothing_left_out_own_items_are_candidates(shop):
    assert areas(shop, leave_out=99) == pytest.approx(scikit_learns(shop, leave_out=99), abs=1e-9)


def test_a_user_to_whom_every_candidate_is_relevant_has_no_area(shop):
    users, items, _, _ = shop
    own = {(0, item): BOUGHT for item in range(ITEMS - 2)}
    found = areas((users, items, own, {(0, ITEMS - 2), (0, ITEMS - 1), (1, 3)}))
    assert np.isnan(found[0])
    assert set(found) == {0, 1}
