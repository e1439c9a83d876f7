import numpy as np
import pytest

from segspark.recommend.interactions import BOUGHT, VIEWED
from segspark.recommend.places import low_bounds
from segspark.recommend.topn import ListPlan, best_items, leave_out_from
from segspark.recommend.vectors import Factors

USERS, ITEMS, RANK = 19, 31, 4


def vectors(spark, column, matrix, numbers=None):
    rows = [
        (int(no), row.tolist())
        for no, row in zip(numbers if numbers is not None else range(len(matrix)), matrix, strict=True)
    ]
    return spark.createDataFrame(rows, f"{column} int, factors array<float>").repartition(3)


@pytest.fixture
def shop():
    random = np.random.default_rng(7)
    users, items = (
        random.normal(size=(USERS, RANK)).astype(np.float32),
        random.normal(size=(ITEMS, RANK)).astype(np.float32),
    )
    items[11] = items[4]  # equal scores: the lower number first
    own = {
        (u, i): int(random.choice([VIEWED, BOUGHT]))
        for u in range(USERS)
        for i in range(ITEMS)
        if random.random() < 0.3
    }
    return users, items, own


def lists(spark, shop, closed=(), numbers=None, **settings):
    users, items, own = shop
    numbers = range(USERS) if numbers is None else numbers
    factors = Factors(vectors(spark, "user_no", users[list(numbers)], numbers), vectors(spark, "item_no", items))
    categories = settings.pop("categories", None)
    plan = {"top_n": 5, "leave_out": BOUGHT, "explain": True, "user_block_rows": 4, "item_block_rows": 8, **settings}
    own_rows = spark.createDataFrame([(u, i, a) for (u, i), a in own.items()], "user_no int, item_no int, action int")
    closed_rows = spark.createDataFrame([(i,) for i in closed], "item_no int")
    rows = best_items(factors, own_rows, closed_rows, ListPlan(users=USERS, **plan), categories).collect()
    return sorted(rows, key=lambda row: (row.user_no, row["rank"]))


def dense_answer(shop, top_n, closed=(), leave_out=BOUGHT):
    users, items, own = shop
    expected = []
    for user in range(USERS):
        scores = np.round(users[user].astype(float) @ items.astype(float).T, 6)
        allowed = [i for i in range(ITEMS) if i not in closed and own.get((user, i), 0) < leave_out]
        allowed.sort(key=lambda i: (-scores[i], i))
        expected += [(user, rank, i) for rank, i in enumerate(allowed[:top_n], 1)]
    return expected


def places(rows):
    return [(row.user_no, row["rank"], row.item_no) for row in rows]


@pytest.mark.parametrize("blocks", [(4, 8), (1, 3), (100, 100)])
def test_lists_are_those_of_a_dense_product_whatever_the_blocks(spark, shop, blocks):
    rows = lists(spark, shop, user_block_rows=blocks[0], item_block_rows=blocks[1])
    assert places(rows) == dense_answer(shop, 5)
    users, items, _ = shop
    assert [row.score for row in rows] == pytest.approx(
        [float(users[r.user_no] @ items[r.item_no]) for r in rows], abs=1e-5
    )


def test_what_a_user_has_and_what_is_closed_is_left_out_however_long_the_list(spark, shop):
    assert places(lists(spark, shop, closed=(0, 4, 30), top_n=ITEMS)) == dense_answer(shop, ITEMS, closed=(0, 4, 30))


def test_touched_leaves_out_every_own_item_and_not_excluding_none(spark, shop):
    assert leave_out_from(False, "bought") is None
    assert places(lists(spark, shop, leave_out=leave_out_from(True, "touched"))) == dense_answer(shop, 5, leave_out=1)
    assert places(lists(spark, shop, leave_out=None)) == dense_answer(shop, 5, leave_out=99)


def test_the_reason_is_the_own_item_with_the_nearest_vector(spark, shop):
    _, items, own = shop
    unit = items / np.linalg.norm(items, axis=1, keepdims=True)
    rows = lists(spark, shop)
    assert len(rows) == USERS * 5
    for row in rows:
        mine = [i for (user, i) in own if user == row.user_no]
        similarity = {i: float(unit[row.item_no] @ unit[i]) for i in mine}
        assert similarity[row.because_no] == pytest.approx(max(similarity.values()), abs=1e-6)
        assert row.because_action == own[row.user_no, row.because_no]


def test_lists_for_some_users_are_the_same_as_among_all_and_need_no_reason(spark, shop):
    some = lists(spark, shop, numbers=[2, 3, 17], explain=False)
    assert places(some) == [place for place in dense_answer(shop, 5) if place[0] in (2, 3, 17)]
    assert {row.because_no for row in some} == {None}


def test_a_user_without_own_items_gets_a_list_without_a_reason(spark, shop):
    users, items, _ = shop
    rows = lists(spark, (users, items, {(0, 0): BOUGHT}))
    assert {row.because_no for row in rows if row.user_no == 1} == {None}
    assert {row.because_no for row in rows if row.user_no == 0} == {0}


@pytest.mark.parametrize(("width", "size"), [(12, 3), (95, 3), (96, 3), (1000, 3), (1000, 10), (400, 200)])
def test_at_least_as_many_scores_as_a_list_has_places_reach_the_low_bound_and_few_more(width, size):
    scores = np.random.default_rng(width + size).normal(size=(40, width)).astype(np.float32)
    reached = (scores >= low_bounds(scores, size)[:, None]).sum(axis=1)
    assert reached.min() >= size
    assert reached.mean() < 1.2 * size


def test_a_row_without_enough_scores_has_no_low_bound():
    scores = np.full((2, 200), -np.inf, np.float32)
    scores[0, 7] = 1.0
    assert np.isneginf(low_bounds(scores, 3)).all()
    assert np.isneginf(low_bounds(np.ones((2, 3), np.float32), 3)).all()


def test_long_rows_of_items_give_the_lists_of_a_dense_product(spark):
    random = np.random.default_rng(11)
    users, items = (random.normal(size=(n, RANK)).astype(np.float32) for n in (USERS, 700))
    items[600] = items[40]
    own = {(u, i): BOUGHT for u in range(USERS) for i in range(0, 700, 3)}
    rows = lists(spark, (users, items, own), item_block_rows=400, closed=(2, 5))
    expected = []
    for user in range(USERS):
        scores = np.round(users[user].astype(float) @ items.astype(float).T, 6)
        allowed = [i for i in range(700) if i % 3 and i not in (2, 5)]
        allowed.sort(key=lambda i: (-scores[i], i))
        expected += [(user, rank, i) for rank, i in enumerate(allowed[:5], 1)]
    assert places(rows) == expected


def walk_down(ranked, categories, top_n, most):
    """The first top_n of a ranking that are not one too many of their category."""
    taken = []
    for item in ranked:
        same = [other for other in taken if categories.get(other, -1 - other) == categories.get(item, -1 - item)]
        if len(same) < most and len(taken) < top_n:
            taken.append(item)
    return taken


@pytest.mark.parametrize(("most", "blocks"), [(1, (4, 8)), (2, (1, 3)), (2, (100, 100)), (30, (4, 8))])
def test_with_a_cap_a_list_is_what_a_walk_down_the_whole_ranking_keeps(spark, shop, most, blocks):
    categories = {item: item % 3 for item in range(ITEMS) if item % 5}
    rows = spark.createDataFrame(list(categories.items()), "item_no int, category_no int").repartition(2)
    sizes = {"user_block_rows": blocks[0], "item_block_rows": blocks[1]}
    found = places(lists(spark, shop, closed=(3, 8), max_per_category=most, categories=rows, **sizes))
    ranking = dense_answer(shop, ITEMS, closed=(3, 8))
    for user in range(USERS):
        ranked = [item for number, _, item in ranking if number == user]
        expected = walk_down(ranked, categories, 5, most)
        assert [place for place in found if place[0] == user] == [(user, r, i) for r, i in enumerate(expected, 1)]


def test_a_cap_without_any_category_changes_nothing(spark, shop):
    nothing = spark.createDataFrame([], "item_no int, category_no int")
    assert places(lists(spark, shop, max_per_category=1, categories=nothing)) == dense_answer(shop, 5)
