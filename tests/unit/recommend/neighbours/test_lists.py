import numpy as np
import pytest
from scipy import sparse

from segspark.recommend.interactions import BOUGHT, VIEWED
from segspark.recommend.neighbours.lists import (
    SLACK,
    highest_columns,
    item_cf_lists,
    low_bounds,
    sparse_lists,
    to_significant,
    user_cf_lists,
)
from segspark.recommend.topn import ListPlan

USERS, ITEMS = 19, 31


def random_shop(seed=3):
    random = np.random.default_rng(seed)
    action = random.choice([0, VIEWED, BOUGHT], (USERS, ITEMS), p=[0.75, 0.1, 0.15])
    action[4] = 0  # acted on nothing
    action[:, 6] = 0  # nobody's item
    weight = np.where(action > 0, random.integers(1, 9, action.shape) / 4, 0.0)
    near = random.integers(-2, 6, (ITEMS, ITEMS)) * (random.random((ITEMS, ITEMS)) < 0.2) / 8
    alike = random.integers(-2, 6, (USERS, USERS)) * (random.random((USERS, USERS)) < 0.2) / 8
    np.fill_diagonal(near, 0)
    np.fill_diagonal(alike, 0)
    return action, weight, near, alike


ACTION, WEIGHT, NEAR, ALIKE = random_shop()


def frame(spark, matrix, schema, *more):
    places = zip(*matrix.nonzero(), strict=True)
    rows = [(int(r), int(c), *(each[r, c].item() for each in (matrix, *more))) for r, c in places]
    return spark.createDataFrame(rows, schema)


@pytest.fixture(scope="module")
def shop(spark):
    train = frame(spark, WEIGHT, "user_no int, item_no int, weight double, action int", ACTION)
    near, alike = (frame(spark, m, "row_no int, neighbour_no int, similarity double") for m in (NEAR, ALIKE))
    return train, near, alike


def closed(spark, *numbers):
    return spark.createDataFrame([(n,) for n in numbers], "item_no int")


def plan(**settings):
    plain = {"users": USERS, "top_n": 5, "leave_out": BOUGHT, "explain": True}
    return ListPlan(**{**plain, "user_block_rows": 4, "item_block_rows": 8, **settings})


def ranked(rows):
    return sorted(tuple(row) for row in rows.collect())


def dense_lists(scores, top_n=5, leave_out=BOUGHT, out=()):
    """user, rank, item and score by sorting every row."""
    rows = []
    for user in range(USERS):
        allowed = [i for i in range(ITEMS) if scores[user, i] > 0 and ACTION[user, i] < leave_out and i not in out]
        allowed.sort(key=lambda i: (-scores[user, i], i))
        rows += [(user, rank, i, scores[user, i]) for rank, i in enumerate(allowed[:top_n], 1)]
    return rows


@pytest.mark.parametrize("blocks", [(4, 8), (1, 5), (100, 100)])
def test_lists_by_items_are_those_of_a_dense_product_whatever_the_blocks(spark, shop, blocks):
    train, near, _ = shop
    sizes = plan(user_block_rows=blocks[0], item_block_rows=blocks[1])
    found = ranked(item_cf_lists(train, near, closed(spark), ITEMS, sizes))
    assert [row[:4] for row in found] == dense_lists(WEIGHT @ np.maximum(NEAR, 0))


def test_lists_by_users_are_those_of_a_dense_product_and_give_no_reason(spark, shop):
    train, _, alike = shop
    found = ranked(user_cf_lists(train, alike, closed(spark), ITEMS, plan()))
    assert [row[:4] for row in found] == dense_lists(np.maximum(ALIKE, 0) @ WEIGHT)
    assert {row[4:] for row in found} == {(None, None)}


def test_closed_items_and_own_ones_are_left_out_as_told_however_long_the_list(spark, shop):
    train, near, _ = shop
    scores, gone = WEIGHT @ np.maximum(NEAR, 0), (0, 4, 30)
    for leave_out, least in ((1, 1), (None, 99)):
        long = plan(top_n=ITEMS, leave_out=leave_out)
        found = ranked(item_cf_lists(train, near, closed(spark, *gone), ITEMS, long))
        assert [row[:4] for row in found] == dense_lists(scores, ITEMS, least, gone)


def test_the_reason_is_the_own_item_with_the_largest_part_and_the_act_on_it(spark, shop):
    train, near, _ = shop
    found = ranked(item_cf_lists(train, near, closed(spark), ITEMS, plan()))
    assert found
    for user, _, item, _, because, action in found:
        parts = WEIGHT[user] * np.maximum(NEAR[:, item], 0)
        assert (because, action) == (np.argmax(parts), ACTION[user, np.argmax(parts)])


def test_a_user_without_acts_and_an_item_nobody_has_are_no_trouble(spark, shop):
    train, near, alike = shop
    by_items = ranked(item_cf_lists(train, near, closed(spark), ITEMS, plan()))
    by_users = ranked(user_cf_lists(train, alike, closed(spark), ITEMS, plan()))
    assert 4 not in {row[0] for row in by_items}
    assert 4 in {row[0] for row in by_users}  # neighbours alone are enough
    assert 6 in {row[2] for row in by_items}
    assert 6 not in {row[2] for row in by_users}


def test_nobody_and_nothing_give_no_lists(spark, shop):
    train, near, alike = shop
    assert ranked(item_cf_lists(train.where("false"), near, closed(spark), ITEMS, plan())) == []
    assert ranked(user_cf_lists(train, alike.where("false"), closed(spark), ITEMS, plan())) == []


def test_how_the_input_is_partitioned_changes_no_bit(spark, shop):
    train, near, _ = shop
    answers = []
    for partitions in (1, 5):
        odd = train.withColumn("weight", train.weight * np.pi).repartition(partitions)
        answers.append(ranked(item_cf_lists(odd, near.repartition(partitions), closed(spark), ITEMS, plan())))
    assert answers[0] == answers[1]


def test_scores_that_differ_in_the_last_bits_are_a_tie_that_the_lower_number_wins(spark):
    weights = [(0, key, weight) for key, weight in enumerate((0.1, 0.2, 0.3))]
    left = spark.createDataFrame(weights, "user_no int, key_no int, weight double")
    parts = [(0, 0, 1.0), (1, 0, 1.0), (2, 0, 1.0), (0, 1, 3.0), (2, 1, 1.0)]  # .6000000000000001 and .6
    right = spark.createDataFrame(parts, "key_no int, item_no int, weight double")
    own = spark.createDataFrame([], "user_no int, item_no int, action int")
    found = ranked(sparse_lists(left, right, own, closed(spark), 3, 2, plan(users=1, explain=False)))
    assert [row[2:4] for row in found] == [(0, 0.6), (1, 0.6)]


@pytest.mark.parametrize("size", [3, 10, 40])
def test_at_least_as_many_cells_as_a_list_has_places_reach_the_low_bound_and_few_more(size):
    random = np.random.default_rng(size)
    scores = sparse.csr_matrix(random.random((40, 2000)) * (random.random((40, 2000)) < 0.5))
    bounds = low_bounds(scores, size)
    reached = (scores.toarray() >= bounds[:, None]).sum(axis=1)
    assert reached.min() >= size
    assert reached.mean() < 1.5 * size
    assert np.isneginf(low_bounds(scores[:, : 4 * size], size)).all()


def test_scores_keep_ten_digits_at_any_size():
    values = np.array([1e-300, 0.1 + 0.2, 123456789012.5, 1e300, 9.99999999999])
    rounded = to_significant(values)
    assert rounded == pytest.approx(values, rel=SLACK / 2)
    assert rounded[1] == 0.3
    assert rounded[4] == 10


def test_the_highest_column_is_the_first_of_equal_ones():
    matrix = sparse.csr_matrix(np.array([[0, 2, 3, 3], [0, 0, 0, 0], [5, 0, 1, 0]], float))
    assert highest_columns(matrix).tolist() == [2, 0, 0]
