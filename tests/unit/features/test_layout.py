"""Where rows lie."""

import pytest
from pyspark.sql import functions as F

from segspark.core.contracts import EVENTS, ITEMS, ORDERS, RATINGS
from segspark.features.config import FeaturesConfig
from segspark.features.items import describe_items, place_items, price_categories
from segspark.features.layout import ROWS_PER_TASK, gather_users, tasks_for
from segspark.features.taste import measure_taste
from tests.builders import day
from tests.unit.features.shops import day_tables, frame_of, random_logs


@pytest.mark.parametrize(("rows", "tasks"), [(0, None), (8 * ROWS_PER_TASK, None), (8 * ROWS_PER_TASK + 1, 9)])
def test_there_are_more_tasks_than_usual_only_where_rows_are_too_many_for_these(rows, tasks):
    assert tasks_for(rows, partitions=8) == tasks


def test_more_tasks_keep_a_user_together_and_change_no_taste(spark):
    logs = random_logs(seed=11)
    frames = (frame_of(spark, contract, *rows) for contract, rows in zip((EVENTS, ORDERS, RATINGS), logs, strict=True))
    _, _, item_days = day_tables(*frames)
    item_days, as_of = item_days.cache(), day("2024-03-04")
    described = describe_items(item_days, frame_of(spark, ITEMS), as_of)
    categories = price_categories(described)
    items = place_items(described, categories)
    usual, spread = (
        {tuple(row) for row in measure_taste(item_days, items, categories, as_of, FeaturesConfig(), tasks).collect()}
        for tasks in (None, 5)
    )
    assert usual == spread
    places = gather_users(item_days, 5).select("user_id", F.spark_partition_id().alias("task")).distinct()
    assert places.select("task").distinct().count() > 1
    assert places.count() == places.select("user_id").distinct().count() == len(usual)
