import numpy as np
import pytest

from segspark.recommend.places import CappedPlaces


def walk_down(scores, category_of, size, most):
    order = np.lexsort((np.arange(len(scores)), -np.round(scores.astype(float), 6)))
    taken, used = [], {}
    for item in order[~np.isneginf(scores[order])].tolist():
        category = category_of.get(item, -1 - item)
        if used.get(category, 0) < most and len(taken) < size:
            used[category] = used.get(category, 0) + 1
            taken.append(item)
    return taken


@pytest.mark.parametrize("seed", range(40))
def test_places_under_a_cap_are_those_of_a_walk_down_the_ranking_whatever_the_blocks(seed):
    random = np.random.default_rng(seed)
    users, items, most = 9, int(random.integers(1, 300)), int(random.integers(1, 5))
    size, width, height = (int(random.integers(1, high)) for high in (20, 120, 9))
    scores = random.normal(size=(users, items)).astype(np.float32)
    scores = np.round(scores) if seed % 2 else scores  # many ties
    scores[random.random(scores.shape) < 0.1] = -np.inf
    known = np.sort(random.permutation(items)[: int(items * 0.8)])
    category = np.minimum(random.geometric(0.2, len(known)), 12)
    places = CappedPlaces(users, size, most, known, category)
    for left in range(0, items, width):
        places.start(np.arange(left, min(left + width, items)))
        for top in range(0, users, height):
            places.take(scores[top : top + height, left : left + width].copy(), top)
    row, _, number, _ = places.best.ranked()
    category_of = dict(zip(known.tolist(), category.tolist(), strict=True))
    for user in range(users):
        assert number[row == user].tolist() == walk_down(scores[user], category_of, size, most)


def test_few_scores_reach_the_bounds_even_where_one_category_is_far_above_the_others():
    random = np.random.default_rng(8)
    scores = random.normal(size=(50, 4000)).astype(np.float32)
    category = np.arange(4000) % 20
    scores[:, category == 3] += 10
    places = CappedPlaces(50, 10, 3, np.arange(4000), category)
    ranked = []
    merge = places.best.merge
    places.best.merge = lambda row, number, score: (ranked.append(len(row)), merge(row, number, score))
    for left in range(0, 4000, 1000):
        places.start(np.arange(left, left + 1000))
        places.take(scores[:, left : left + 1000], 0)
    assert sum(ranked) < 0.1 * scores.size
