"""The frames of the marts against DuckDB over the same random rows, and whatever the partitions."""

from datetime import date, timedelta
from decimal import Decimal

import duckdb
import numpy as np
import pandas as pd
import pytest

from segspark.bi.marts.items import (
    acts_on_items,
    item_facts,
    purchases_before,
    segment_categories,
    users_of_items,
)
from segspark.bi.marts.months import segment_months, user_months
from segspark.core.contracts import ITEMS, ORDERS, RATINGS, USER_DAYS, USER_ITEM_DAYS
from tests.builders import at, rows_of

AS_OF = date(2024, 3, 15)
ROWS = 400
SHELF = (("x", "Garden"), ("y", "Garden"), ("z", "Books"))


@pytest.fixture(scope="module")
def shop():
    """Random order lines, days and members as pandas frames; bots are b0 … b3."""
    rng = np.random.default_rng(5)
    users = np.array([*(f"u{n}" for n in range(30)), *(f"b{n}" for n in range(4))])
    days = [AS_OF + timedelta(days=int(shift)) for shift in rng.integers(-80, 5, ROWS)]
    lines = pd.DataFrame({"user_id": rng.choice(users, ROWS), "day": days})
    lines["item_id"] = rng.choice(["x", "y", "z"], ROWS)
    lines["quantity"] = rng.integers(1, 5, ROWS).astype(float)
    lines["unit_price"] = rng.integers(1, 9999, ROWS) / 100
    lines["status"] = rng.choice(["paid", "refunded"], ROWS, p=[0.9, 0.1])
    lines.loc[rng.random(ROWS) < 0.1, "user_id"] = None
    members = pd.DataFrame({"user_id": users, "segment_id": rng.integers(0, 3, len(users)), "scheme": "value"})
    return lines, members.astype({"segment_id": "int32"})


@pytest.fixture(scope="module", params=[1, 5], ids=["one partition", "five partitions"])
def frames(request, spark, shop):
    """The same in Spark, in so many partitions."""
    lines, members = shop
    told = [
        {"order_id": str(n), "line": 1, **{key: row[key] for key in lines.columns}}
        for n, row in enumerate(lines.to_dict("records"))
    ]
    orders = rows_of(spark, ORDERS, *told).repartition(request.param)
    days = [
        {"user_id": row["user_id"], "day": row["day"], "orders": 1, "spend": row["unit_price"]}
        for row in told
        if row["user_id"] is not None
    ]
    user_days = rows_of(spark, USER_DAYS, *days).repartition(request.param)
    bots = spark.createDataFrame([(f"b{n}",) for n in range(4)], "user_id string")
    return orders, user_days, bots, spark.createDataFrame(members)


def asked(sql, **tables):
    database = duckdb.connect()
    for name, table in tables.items():
        database.register(name, table)
    found = database.execute(sql).fetchall()
    return sorted(tuple(float(v) if isinstance(v, Decimal) else v for v in row) for row in found)


def told(frame, *columns):
    return sorted(tuple(row) for row in frame.select(*columns).collect())


def test_segments_by_month_are_those_that_duckdb_adds_up(frames, shop):
    _, user_days, bots, members = frames
    found = segment_months(user_months(user_days, bots, AS_OF), members, AS_OF)
    columns = ("segment_id", "month", "active_users", "orders", "revenue")
    assert told(found, *columns) == asked(
        f"""
        SELECT segment_id, cast(date_trunc('month', day) AS date), count(DISTINCT user_id), count(*),
            sum(cast(unit_price AS decimal(18, 2)))
        FROM lines JOIN members USING (user_id)
        WHERE day < DATE '{AS_OF}' AND user_id NOT LIKE 'b%' GROUP BY ALL""",
        lines=shop[0],
        members=shop[1],
    )


def test_items_and_categories_are_those_that_duckdb_adds_up(spark, frames, shop):
    orders, _, bots, members = frames
    items = rows_of(spark, ITEMS, *({"item_id": i, "category": c, "launch_time": at("2020-01-01")} for i, c in SHELF))
    purchases = purchases_before(orders, bots, AS_OF)
    no_acts = users_of_items(acts_on_items(rows_of(spark, USER_ITEM_DAYS), rows_of(spark, RATINGS)), bots, AS_OF)
    facts = item_facts(purchases, no_acts, items, AS_OF)
    counted = f"""
        sum(quantity), sum(cast(quantity AS decimal(18, 4)) * cast(unit_price AS decimal(18, 2)))
        FROM lines {{join}} WHERE day < DATE '{AS_OF}' AND status = 'paid' AND coalesce(user_id, '') NOT LIKE 'b%'"""
    sold = f"SELECT item_id, count(DISTINCT user_id), {counted.format(join='')} GROUP BY ALL"
    assert told(facts, "item_id", "buyers", "units", "revenue") == asked(sold, lines=shop[0])
    bought = segment_categories(purchases, facts.select("item_id", "category"), members)
    by_shelf = counted.format(join="JOIN members USING (user_id)")
    shelf = "if(item_id = 'z', 'Books', 'Garden')"
    sold = f"SELECT segment_id, {shelf}, count(DISTINCT user_id), {by_shelf} GROUP BY ALL"
    columns = ("segment_id", "category", "buyers", "units", "revenue")
    assert told(bought, *columns) == asked(sold, lines=shop[0], members=shop[1])
