"""Predicted memory is held against what the functions of the workers are seen to take."""

import tracemalloc

import numpy as np
import pyarrow as pa
import pytest

from segspark.core.errors import ConfigError
from segspark.recommend import similarity, topn
from segspark.recommend.blocks import cut, matrices, sparse_record, unit_rows
from segspark.recommend.config import RecommendConfig
from segspark.recommend.degrees import Degrees, Side, measure
from segspark.recommend.interactions import BOUGHT
from segspark.recommend.neighbours.measures import COSINE
from segspark.recommend.planner import Lists, plan_lists, plan_similarity
from segspark.recommend.topn import ListPlan

ROWS, COLUMNS, HEIGHT, NEIGHBOURS, RANK = 2048, 3000, 1024, 50, 32
CONFIG = RecommendConfig(similarity_block_rows=HEIGHT)


def pairs_of(seed, count=120_000, rows=ROWS, columns=COLUMNS, full_row=False, full_column=False):
    """Row and column of distinct random pairs; the first row has every column, the first column every row, as told."""
    cells = np.random.default_rng(seed).integers(0, rows * columns, count)
    more = [np.arange(columns)] * full_row + [np.arange(rows) * columns] * full_column
    return np.divmod(np.unique(np.concatenate([cells, *more])), columns)


def degrees_of(row, column, rows):
    degree = np.bincount(row, minlength=rows)
    of_single = np.bincount(column[degree[row] == 1])
    part_rows = max(1, -(-rows // 1024))
    parts = np.bincount(row // part_rows, minlength=-(-rows // part_rows))
    return Degrees(
        rows, len(row), int((degree**2).sum()), int(degree.max()), int((of_single**2).sum()), part_rows, tuple(parts)
    )


def peak_of(work):
    tracemalloc.start()
    result = work()
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    return peak, result


def similarity_peak(row, column, columns):
    """Of a task with two blocks, and of making the first of them."""
    random = np.random.default_rng(1)
    records, packing = [], 0
    for block in range(2):
        mine = row // HEIGHT == block
        arrays = [pa.array(part[mine].astype(np.int32)) for part in (row, column)]
        arrays.append(pa.array(random.integers(1, 4, mine.sum()).astype(float)))
        batch = pa.RecordBatch.from_arrays(arrays, names=["row", "column", "cell"])
        peak, (record,) = peak_of(
            lambda batch=batch: [sparse_record(n, unit_rows(m)) for n, m in matrices(cut([batch], HEIGHT), HEIGHT)]
        )
        packing = max(packing, peak)
        records.append(record)

    def steps():
        for step, record in zip((-1, 1), records, strict=True):
            yield {"step": step, **{name: record.column(name)[0].as_py() for name in record.schema.names}}

    task, _ = peak_of(lambda: list(similarity._nearest_of_task(steps(), columns, HEIGHT, NEIGHBOURS, COSINE)))
    return max(packing, task)


SHAPES = {
    "any": {},
    "one row with everything": {"full_row": True},
    "one column that all have": {"full_column": True},
    "one column that all have, and hardly anything else": {"full_column": True, "count": 10},
}


@pytest.mark.parametrize("shape", SHAPES)
def test_memory_of_similarity_is_predicted_within_a_factor_of_three(shape):
    row, column = pairs_of(3, **SHAPES[shape])
    plan = plan_similarity(
        degrees_of(row, column, ROWS), degrees_of(column, row, COLUMNS), NEIGHBOURS, CONFIG, "similarity"
    )
    assert plan.block_rows == HEIGHT
    measured = similarity_peak(row, column, COLUMNS)
    assert measured / 1.5 < plan.task_bytes < 3 * measured


def list_records(row, column, users, items, plan):
    random = np.random.default_rng(5)
    vectors = random.normal(size=(users + items, RANK)).astype(np.float32)
    numbers = np.arange(max(users, items), dtype=np.int32)
    yield {"step": topn.USER_STEP, "numbers": numbers[:users].tobytes(), "cells": vectors[:users].tobytes()}
    own = np.concatenate([row, column, np.full(len(row), BOUGHT)]).astype(np.int32)
    yield {"step": topn.OWN_STEP, "numbers": b"", "cells": own.tobytes()}
    if plan.max_per_category:
        category = (numbers[:items] % 40).astype(np.int32)
        yield {"step": topn.CATEGORY_STEP, "numbers": numbers[:items].tobytes(), "cells": category.tobytes()}
    for first in range(0, items, plan.item_block_rows):
        part = numbers[first : min(first + plan.item_block_rows, items)]
        yield {"step": first, "numbers": part.tobytes(), "cells": vectors[users:][part].tobytes()}


@pytest.mark.parametrize(
    ("users", "items", "cap", "shape"),
    [
        (16_384, 20_000, None, {}),
        (512, 60_000, None, {"full_row": True}),
        (16_384, 4096, None, {"full_column": True, "count": 1_600_000}),
        (16_384, 20_000, 3, {}),
    ],
)
def test_memory_of_lists_is_predicted_within_a_factor_of_three(users, items, cap, shape):
    row, column = pairs_of(4, rows=users, columns=items, **shape)
    start = ListPlan(users, 10, BOUGHT, True, 0, 0, cap)
    planned = plan_lists(start, Lists(items, RANK, degrees_of(row, column, users)), CONFIG)
    in_block, first = row < planned.plan.user_block_rows, min(users, planned.plan.user_block_rows)
    records = list_records(row[in_block], column[in_block], first, items, planned.plan)
    measured, _ = peak_of(lambda: list(topn._lists_of_task(records, planned.plan)))
    assert measured / 1.5 < planned.task_bytes < 3 * measured


def test_degrees_of_all_sides_are_counted_as_by_hand(spark):
    row, column = pairs_of(6, count=900, rows=3000, columns=50)
    frame = spark.createDataFrame(list(zip(row.tolist(), column.tolist(), strict=True)), "item_no int, user_no int")
    sides = Side(frame, "item_no", "user_no", 3000), Side(frame, "user_no", "item_no", 50)
    expected = [degrees_of(row, column, 3000), degrees_of(column, row, 50)]
    nothing = Side(frame.limit(0), "item_no", "user_no", 5)
    *found, nobody = measure(*sides, nothing)
    assert found == expected
    assert [each.part_rows for each in expected] == [3, 1]
    assert (nobody.pairs, nobody.squares, nobody.most, nobody.fullest(2)) == (0, 0, 0, 0)


@pytest.mark.parametrize("block_rows", [1, 7, 100, 1000, 3000, 5000])
def test_no_block_has_more_pairs_than_the_fullest(block_rows):
    row, column = pairs_of(7, count=20_000, rows=3000, columns=400, full_row=True)
    counted = degrees_of(row, column, 3000)
    true = np.bincount(row // block_rows).max()
    assert true <= counted.fullest(block_rows) <= max(3 * true, true + 3 * counted.most)


def test_blocks_shrink_until_a_task_fits():
    row, column = pairs_of(3, full_column=True)
    sides = degrees_of(row, column, ROWS), degrees_of(column, row, COLUMNS)
    plans = [
        plan_similarity(*sides, NEIGHBOURS, RecommendConfig(task_memory_mb=memory), "similarity")
        for memory in (1024, 40, 20)
    ]
    assert [plan.block_rows for plan in plans] == sorted({plan.block_rows for plan in plans}, reverse=True)
    assert all(plan.task_bytes <= memory * 1_000_000 for plan, memory in zip(plans, (1024, 40, 20), strict=True))
    assert all(plan.multiply_adds == (np.bincount(column) ** 2).sum() for plan in plans)
    assert plans[2].shuffle_bytes > plans[0].shuffle_bytes


def test_similarity_that_cannot_fit_is_refused_with_what_how_much_and_which_key():
    row, column = pairs_of(3, full_row=True)
    sides = degrees_of(row, column, ROWS), degrees_of(column, row, 2_000_000)
    with pytest.raises(ConfigError, match=r"^recommend.task_memory_mb: user similarity of 2,048 rows .* allow \d+,"):
        plan_similarity(*sides, NEIGHBOURS, RecommendConfig(task_memory_mb=10), "user similarity")


def test_lists_take_smaller_blocks_and_where_reasons_are_too_large_the_refusal_names_their_key():
    own = Degrees(100_000, 1_000_000, 0, 900_000, 0, 98, (980,) * 1021)
    plan = ListPlan(100_000, 10, BOUGHT, False, 0, 0)
    small = plan_lists(plan, Lists(1_000_000, RANK, own), RecommendConfig(task_memory_mb=80))
    assert small.plan.user_block_rows < 12_500
    assert small.task_bytes <= 80_000_000
    assert "100,000,000,000 scores" in small.told()
    with pytest.raises(ConfigError, match=r"explain_max_items below 1,000,000: reasons take 628 MB of it"):
        plan_lists(
            ListPlan(100_000, 10, BOUGHT, True, 0, 0), Lists(1_000_000, RANK, own), RecommendConfig(task_memory_mb=80)
        )
