"""Predicted memory is held against what a task of lists from neighbours is seen to take."""

import numpy as np
import pytest
from scipy import sparse

from segspark.core.errors import ConfigError
from segspark.recommend.blocks import sparse_record
from segspark.recommend.config import RecommendConfig
from segspark.recommend.interactions import BOUGHT
from segspark.recommend.neighbours import lists
from segspark.recommend.neighbours.list_plan import Sides, measure_sides, plan_sparse_lists
from segspark.recommend.topn import ListPlan
from tests.unit.recommend.test_planner import degrees_of, pairs_of, peak_of

USERS, ITEMS, NEIGHBOURS = 4096, 6000, 20
EVERYTHING, EVERYBODY = {"full_row": True}, {"full_column": True}


def shop(**shape):
    """Who has what, and 20 neighbours of each item: the first item is everybody's neighbour where everybody has it."""
    user, item = pairs_of(1, count=80_000, rows=USERS, columns=ITEMS, **shape)
    near = np.random.default_rng(2).integers(0, ITEMS, (ITEMS, NEIGHBOURS))
    if "full_column" in shape:
        near[:, 0] = 0
    key, neighbour = np.divmod(np.unique(np.repeat(np.arange(ITEMS), NEIGHBOURS) * ITEMS + near.ravel()), ITEMS)
    return user, item, key, neighbour


def sides_of(user, item, key, neighbour):
    of_users = degrees_of(user, item, USERS)
    products = np.bincount(item, minlength=ITEMS) @ np.bincount(key, minlength=ITEMS)
    return Sides(of_users, degrees_of(neighbour, key, ITEMS), of_users, ITEMS, int(products))


def matrix_of(row, column, shape, cell=1.0):
    return sparse.csr_matrix((np.full(len(row), cell), (row, column)), shape=shape)


def task_of(user, item, key, neighbour, plan):
    """What the first task is given."""
    height, width = plan.user_block_rows, plan.item_block_rows
    mine = user < height
    has = matrix_of(user[mine], item[mine], (height, ITEMS))
    yield {"task": 0, "step": lists.LEFT_STEP, **parts_of(has)}
    yield {"task": 0, "step": lists.OWN_STEP, **parts_of(has * BOUGHT)}
    for first in range(0, ITEMS, width):
        near = (neighbour >= first) & (neighbour < first + width)
        yield {"task": 0, "step": first // width} | parts_of(
            matrix_of(neighbour[near] - first, key[near], (width, ITEMS))
        )


def parts_of(matrix):
    record = sparse_record(0, matrix)
    return {name: record.column(name)[0].as_py() for name in ("indptr", "columns", "cells")}


@pytest.mark.parametrize("explain", [True, False])
@pytest.mark.parametrize("shape", [{}, EVERYTHING, EVERYBODY, EVERYTHING | EVERYBODY])
def test_memory_of_lists_by_items_is_not_above_what_is_predicted_for_scores_that_all_tie(shape, explain):
    pairs = shop(**shape)
    wanted = ListPlan(USERS, 10, BOUGHT, explain, 0, 0)
    planned = plan_sparse_lists(wanted, sides_of(*pairs), RecommendConfig(user_block_rows=USERS), "lists by item_cf")
    measured, _ = peak_of(lambda: list(lists._lists_of_task(task_of(*pairs, planned.plan), ITEMS, ITEMS, planned.plan)))
    assert measured < planned.task_bytes < 5 * measured


def test_memory_where_everybodys_one_neighbour_touched_everything_is_predicted_within_a_factor_of_three():
    everyone, every_item = np.arange(USERS), np.arange(ITEMS)
    has_one, hub = degrees_of(everyone, everyone, USERS), np.zeros_like
    of_items = degrees_of(every_item, hub(every_item), ITEMS)
    sides = Sides(has_one, of_items, has_one, USERS, USERS * ITEMS)
    plan = plan_sparse_lists(ListPlan(USERS, 10, BOUGHT, False, 0, 0), sides, RecommendConfig(), "lists by user_cf")
    steps = task_of(everyone, hub(everyone), hub(every_item), every_item, plan.plan)
    measured, _ = peak_of(lambda: list(lists._lists_of_task(steps, ITEMS, ITEMS, plan.plan)))
    assert measured / 1.5 < plan.task_bytes < 3 * measured


@pytest.mark.parametrize("shape", [EVERYTHING, EVERYBODY])
def test_blocks_of_lists_shrink_until_a_task_fits_and_what_cannot_fit_is_refused_with_the_key(shape):
    sides, wanted = sides_of(*shop(**shape)), ListPlan(USERS, 10, BOUGHT, True, 0, 0)
    plans = [
        plan_sparse_lists(wanted, sides, RecommendConfig(task_memory_mb=memory, user_block_rows=USERS), "lists").plan
        for memory in (1024, 30, 20)
    ]
    heights = [plan.user_block_rows for plan in plans]
    assert heights == sorted(heights, reverse=True) and heights[2] < heights[0]
    message = r"^recommend.task_memory_mb: lists by item_cf for 4,096 users of 6,000 items take .* allow \d+,"
    with pytest.raises(ConfigError, match=message):
        plan_sparse_lists(wanted, sides, RecommendConfig(task_memory_mb=2), "lists by item_cf")


def test_both_sides_are_counted_as_by_hand(spark):
    user, item, key, neighbour = shop(full_row=True, full_column=True)
    kept = (user < 40) & (item < 30), (key < 30) & (neighbour < 25)
    user, item, key, neighbour = user[kept[0]], item[kept[0]], key[kept[1]], neighbour[kept[1]]
    left, right = (
        spark.createDataFrame(list(zip(row.tolist(), column.tolist(), strict=True)), schema)
        for row, column, schema in (
            (user, item, "user_no int, key_no int"),
            (key, neighbour, "key_no int, item_no int"),
        )
    )
    own = degrees_of(user, item, 40)
    assert own.most == 30
    counted = measure_sides(left, right, own, 30, 25)
    products = int(np.bincount(item, minlength=30) @ np.bincount(key, minlength=30))
    assert counted == Sides(own, degrees_of(neighbour, key, 25), own, 30, products)
    assert counted.right.most == 30
    assert measure_sides(left.limit(0), right, own, 30, 25).multiply_adds == 0
