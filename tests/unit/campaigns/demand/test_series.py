from datetime import date, timedelta

import duckdb
import numpy as np
import pandas as pd
import pytest

from segspark.campaigns.config import DemandConfig
from segspark.campaigns.demand.series import daily_units, known_categories, order_lines, sold_units
from segspark.core.contracts import ORDERS
from tests.builders import at, rows_of

AS_OF = date(2024, 6, 1)
CONFIG = DemandConfig(top_items=3, top_categories=2, history_weeks=30)
ORACLE = """
WITH paid AS (
    SELECT coalesce(m.segment_name, 'others') AS segment_name, coalesce(c.category, '') AS category, o.item_id, o.day,
           o.quantity
    FROM orders o LEFT JOIN members m USING (user_id) LEFT JOIN categories c USING (item_id)
    WHERE o.status = 'paid' AND o.day < DATE '2024-06-01' AND o.day >= DATE '2024-06-01' - 210
), recent AS (SELECT * FROM paid WHERE day >= DATE '2024-06-01' - 91),
top_categories AS (SELECT category FROM recent GROUP BY category ORDER BY sum(quantity) DESC, category LIMIT 2),
top_items AS (SELECT item_id FROM recent GROUP BY item_id ORDER BY sum(quantity) DESC, item_id LIMIT 3),
sold AS (
    SELECT segment_name, if(category IN (FROM top_categories), category, 'other categories') AS category,
           NULL AS item_id, day, quantity FROM paid
    UNION ALL SELECT * FROM paid WHERE item_id IN (FROM top_items)
)
SELECT segment_name, category, item_id, day, sum(quantity) AS units FROM sold GROUP BY ALL
"""


def order(text: str, item: str = "cup", user: str | None = "ann", quantity: float = 1.0, **others) -> dict:
    time = at(f"{text} 10:00")
    row = {"order_id": "o", "item_id": item, "user_id": user, "quantity": quantity, "status": "paid"}
    return {**row, "order_time": time, "day": time.date(), **others}


def series_of(spark, orders, categories, members, config=CONFIG):
    lines = order_lines(orders, members, config, AS_OF)
    sold = sold_units(lines, known_categories(lines, categories))
    return daily_units(sold, members, config, AS_OF)


@pytest.fixture(scope="module")
def shop(spark):
    """Orders of 40 items by 30 users and guests over 250 days, with as_of inside; categories; members."""
    random = np.random.default_rng(11)
    count = 4000
    days = [date(2023, 10, 1) + timedelta(days=int(d)) for d in random.integers(0, 250, count)]
    users = [None if u >= 30 else f"u{u}" for u in random.integers(0, 36, count)]
    items = [f"i{int(i):02}" for i in random.zipf(1.5, count) % 40]
    quantities = np.round(random.gamma(2, 2, count), 2)
    statuses = random.choice(["paid", "paid", "paid", "refunded", "cancelled"], count)
    rows = [
        order(str(d), i, u, float(q), status=str(s))
        for d, i, u, q, s in zip(days, items, users, quantities, statuses, strict=True)
    ]
    orders = rows_of(spark, ORDERS, *rows)
    categories = spark.createDataFrame(
        [(f"i{i:02}", f"c{i % 5}") for i in range(38)], "item_id string, category string"
    )
    members = spark.createDataFrame(
        [(f"u{u}", ["loyal", "young"][u % 2]) for u in range(25)], "user_id string, segment_name string"
    )
    return orders, categories, members


@pytest.fixture(scope="module")
def series(spark, shop):
    return series_of(spark, *shop).toPandas()


def test_the_sums_are_those_of_duckdb(shop, series):
    with duckdb.connect() as connection:
        for name, frame in zip(("orders", "categories", "members"), shop, strict=True):
            connection.register(name, frame.toPandas())
        expected = connection.execute(ORACLE).df()
    expected = expected.assign(day=expected.day.dt.date)
    sold = series[series.units > 0]
    keys = ["segment_name", "category", "item_id", "day"]
    both = sold.fillna("").merge(expected.fillna(""), on=keys, how="outer", suffixes=("", "_expected"))
    assert len(both) == len(sold) == len(expected) > 1000
    np.testing.assert_allclose(both.units, both.units_expected, atol=1e-9)


def test_every_segment_has_every_series_and_each_of_its_days_once(series):
    segments, goods = series.segment_name.nunique(), series.fillna("").groupby(["category", "item_id"]).ngroups
    assert (segments, goods) == (3, 3 + 3)
    of_series = series.groupby(["segment_name", "category", "item_id"], dropna=False).day
    assert of_series.ngroups == segments * goods
    assert of_series.apply(lambda days: days.isna().sum() == 1 and days.is_unique).all()
    days = series.day.dropna()
    assert (days.min(), days.max()) == (AS_OF - timedelta(weeks=30), AS_OF - timedelta(days=1))


def test_repartitioning_changes_nothing(spark, shop, series):
    orders, categories, members = shop
    again = series_of(spark, orders.repartition(7, "quantity"), categories.repartition(3), members).toPandas()
    keys = ["segment_name", "category", "item_id", "day"]
    pd.testing.assert_frame_equal(
        again.sort_values(keys, ignore_index=True), series.sort_values(keys, ignore_index=True), check_exact=True
    )


def test_rows_at_or_after_as_of_change_nothing(spark, shop, series):
    orders, categories, members = shop
    later = rows_of(
        spark, ORDERS, order("2024-06-01", "i01", "u1", 1e6), order("2024-07-01", "zz", None, 1e6, category="new")
    )
    again = series_of(spark, orders.unionByName(later), categories, members).toPandas()
    keys = ["segment_name", "category", "item_id", "day"]
    pd.testing.assert_frame_equal(
        again.sort_values(keys, ignore_index=True), series.sort_values(keys, ignore_index=True), check_exact=True
    )


def test_guests_and_buyers_without_a_segment_are_others(spark):
    orders = rows_of(
        spark,
        ORDERS,
        order("2024-05-30", quantity=2.0),
        order("2024-05-30", user=None, quantity=3.0),
        order("2024-05-31", user="bob"),
    )
    members = spark.createDataFrame([("ann", "loyal")], "user_id string, segment_name string")
    series = series_of(spark, orders, orders.select("item_id", "category").limit(0), members)
    days = series.where("item_id IS NULL AND day IS NOT NULL").collect()
    assert {(r.segment_name, str(r.day)): r.units for r in days} == {
        ("loyal", "2024-05-30"): 2,
        ("others", "2024-05-30"): 3,
        ("others", "2024-05-31"): 1,
    }


def test_an_item_has_the_listed_category_else_the_newest_of_the_log(spark):
    orders = rows_of(
        spark,
        ORDERS,
        order("2024-05-01", "cup", category="glass"),
        order("2024-05-02", "pan", category="old"),
        order("2024-05-03", "pan", category="kitchen"),
        order("2024-05-04", "pan"),
        order("2023-05-04", "vase", category="before the history"),
        order("2024-05-04", "lamp", category="cancelled", status="cancelled"),
        order("2024-06-02", "pan", category="later"),
        order("2024-05-05", "pen"),
    )
    listed = spark.createDataFrame(
        [("cup", "china"), ("jug", "china"), ("pen", None)], "item_id string, category string"
    )
    nobody = spark.createDataFrame([], "user_id string, segment_name string")
    lines = order_lines(orders, nobody, CONFIG, AS_OF)
    known = {r.item_id: r.category for r in known_categories(lines, listed).collect()}
    assert known == {"cup": "china", "jug": "china", "pan": "kitchen"} | {
        "vase": "before the history",
        "lamp": "cancelled",
    }


def test_a_shop_without_paid_lines_has_no_series(spark):
    orders = rows_of(spark, ORDERS, order("2024-05-01", status="cancelled"))
    members = spark.createDataFrame([("ann", "loyal")], "user_id string, segment_name string")
    assert series_of(spark, orders, orders.select("item_id", "category"), members).count() == 0
