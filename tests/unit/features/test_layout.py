"""Where rows lie when users are described."""

import pytest
from pyspark.sql import functions as F

from segspark.core.contracts import EVENTS, ITEMS, ORDERS, RATINGS
from segspark.core.days import days_between
from segspark.features.items import describe_items, place_items, price_categories
from segspark.features.layout import FEW, lay_out
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


def rows_by_task(layout, rows):
    """The rows of each range of days."""
    sums = [0] * len(layout.slices)
    for one, count in rows.items():
        sums[sum(one >= start for start in layout.starts)] += count
    return sums


def test_days_become_ranges_of_about_as_many_rows_as_a_file_is_worth():
    days = days_between(day("2024-01-01"), day("2024-01-30"))
    rows = {one: 1_000_000 * number for number, one in enumerate(days, start=1)}  # a shop that grows
    layout = lay_out(days, rows, 0.0, full=50_000_000)
    assert layout.tasks == len(layout.slices) == 10 and not layout.is_few
    assert all(25_000_000 < count < 80_000_000 for count in rows_by_task(layout, rows))


def test_a_day_with_more_rows_than_a_file_is_cut_into_slices_of_users():
    one, other = day("2024-01-01"), day("2024-01-02")
    layout = lay_out([one, other], {one: 1_000_000, other: 9_000_000}, 0.0, full=2_000_000)
    assert layout.tasks == 5


def test_of_a_day_with_one_late_row_all_rows_are_expected():
    today, before = day("2024-03-02"), day("2024-03-01")
    layout = lay_out([before, today], {before: 1, today: 1}, usual=3 * FEW, full=2 * FEW)
    assert not layout.is_few and layout.slices == (2, 2)  # three of a file's two parts, each day


def test_few_rows_are_one_task_however_many_days():
    days = days_between(day("2008-01-01"), day("2024-01-01"))
    layout = lay_out(days, dict.fromkeys(days, 9), 9.0, full=3_000_000)
    assert layout.is_few and layout.tasks == 1
    assert lay_out([], {}, 0.0, full=10).tasks == 1
