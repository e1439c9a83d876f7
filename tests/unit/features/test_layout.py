"""Where rows lie when users are described."""

import pytest
from pyspark.sql import functions as F

from segspark.core.contracts import EVENTS, ITEMS, ORDERS, RATINGS
from segspark.features.items import describe_items, place_items, price_categories
from segspark.features.touches import FULL_TASK, LEAST_TASK, item_key, single_touches, sum_touches, touch_tasks
from tests.builders import day
from tests.unit.features.shops import day_tables, frame_of, random_logs


@pytest.mark.parametrize(
    ("rows", "tasks"),
    [(0, 1), (2 * LEAST_TASK - 1, 1), (8 * LEAST_TASK, 8), (8 * FULL_TASK, 8), (8 * FULL_TASK + 1, 9)],
)
def test_few_rows_are_one_task_and_there_are_more_than_usual_only_where_rows_are_too_many(rows, tasks):
    assert touch_tasks(rows, partitions=8) == tasks


def test_the_number_of_tasks_changes_no_sum_of_touches(spark):
    logs = random_logs(seed=11)
    frames = (frame_of(spark, contract, *rows) for contract, rows in zip((EVENTS, ORDERS, RATINGS), logs, strict=True))
    _, _, item_days = day_tables(*frames)
    described = describe_items(item_days, frame_of(spark, ITEMS), day("2024-03-04"))
    items = place_items(described, price_categories(described)).withColumn("item_key", item_key(0)).cache()
    rows = item_days.where(F.col("day") < F.lit(day("2024-03-04"))).cache()
    one, five = (
        {tuple(row) for row in sum_touches([single_touches(rows, 0)], items, tasks).collect()} for tasks in (1, 5)
    )
    assert one == five
    assert len(one) == rows.select("user_id").distinct().count()
