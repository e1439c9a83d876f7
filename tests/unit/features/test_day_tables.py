"""The day tables against DuckDB over the same rows, and when they are built."""

from pathlib import Path

import duckdb
import pandas as pd
import pyarrow.parquet as pq
import pytest
from deltalake import DeltaTable
from pyspark.sql import functions as F

from segspark.core.contracts import (
    DAY_BUILDS,
    EVENTS,
    ITEM_DAYS,
    ORDERS,
    RATINGS,
    SESSIONS,
    USER_DAYS,
    USER_ITEM_DAYS,
    conform,
)
from segspark.core.lake import Lake
from segspark.features import stage
from segspark.features.config import FeaturesConfig
from segspark.features.layout import Layout
from tests.builders import at, day
from tests.unit.features.shops import day_tables, event, frame_of, order, random_logs

LOGS = (EVENTS, ORDERS, RATINGS)

USER_DAY_SQL = """
WITH e AS (SELECT *, event_time::date AS day FROM events WHERE user_id IS NOT NULL),
     o AS (SELECT *, order_time::date AS day, quantity * unit_price - coalesce(discount, 0) AS net FROM orders),
     r AS (SELECT *, rated_at::date AS day FROM ratings),
     ed AS (SELECT user_id, day, count(*) AS events, count(*) FILTER (event_type = 'view') AS views,
                   count(*) FILTER (event_type = 'add_to_cart') AS carts,
                   count(*) FILTER (hour(event_time) >= 22 OR hour(event_time) < 6) AS night_events,
                   min(event_time) AS first_event_at FROM e GROUP BY ALL),
     od AS (SELECT user_id, day, count(DISTINCT order_id) FILTER (status = 'paid') AS orders,
                   count(*) FILTER (status = 'paid') AS order_lines, sum(net) FILTER (status = 'paid') AS spend,
                   sum(discount) FILTER (status = 'paid') AS discount, sum(quantity) FILTER (status = 'paid') AS units,
                   count(*) FILTER (status <> 'paid') AS refunds, sum(net) FILTER (status <> 'paid') AS refunded,
                   max(order_time) FILTER (status = 'paid') AS last_order_at
            FROM o WHERE user_id IS NOT NULL GROUP BY ALL),
     rd AS (SELECT user_id, day, count(*) AS ratings, sum(rating) AS rating_sum FROM r GROUP BY ALL)
SELECT user_id, day, {counts}, discount, first_event_at, last_order_at
FROM ed FULL JOIN od USING (user_id, day) FULL JOIN rd USING (user_id, day)
"""
FROM_ZERO = (
    *("events", "views", "carts", "night_events", "orders", "order_lines", "spend", "units", "refunds", "refunded"),
    *("ratings", "rating_sum"),
)
USER_ITEM_DAY_SQL = """
SELECT user_id, item_id, day, max(category) AS category, sum(v)::bigint AS views, sum(c)::bigint AS carts,
       sum(l)::bigint AS order_lines, sum(u) AS units, sum(s) AS spend
FROM (SELECT user_id, item_id, event_time::date AS day, category, (event_type = 'view')::int AS v,
             (event_type = 'add_to_cart')::int AS c, 0 AS l, 0 AS u, 0 AS s FROM events
      WHERE event_type IN ('view', 'click', 'add_to_cart', 'wishlist', 'purchase')
      UNION ALL
      SELECT user_id, item_id, order_time::date, category, 0, 0, 1, quantity,
             quantity * unit_price - coalesce(discount, 0) FROM orders WHERE status = 'paid')
WHERE user_id IS NOT NULL GROUP BY ALL
"""
ITEM_DAY_SQL = f"""
SELECT item_id, day, category, sum(order_lines)::bigint AS order_lines, sum(units) AS units, sum(spend) AS spend
FROM ({USER_ITEM_DAY_SQL}) GROUP BY ALL
"""


def answer(sql, events, orders, ratings):
    """What DuckDB makes of the rows."""
    frames = {"events": pd.DataFrame(events), "orders": pd.DataFrame(orders), "ratings": pd.DataFrame(ratings)}
    with duckdb.connect() as connection:
        for name, frame in frames.items():
            connection.register(name, frame)
        cursor = connection.execute(sql)
        names = [column[0] for column in cursor.description]
        return [dict(zip(names, row, strict=True)) for row in cursor.fetchall()]


def rounded(row):
    """The row with money to a millionth."""
    return {name: round(value, 6) if isinstance(value, float) else value for name, value in row.items()}


@pytest.fixture
def logs():
    events, orders, ratings = random_logs(seed=3)
    guest = order("guest", None, "2024-02-27 10:00", 5.0)
    return events, [*orders, guest], ratings


def test_day_tables_hold_what_duckdb_counts_in_the_logs(spark, logs):
    frames = (frame_of(spark, contract, *rows) for contract, rows in zip(LOGS, logs, strict=True))
    _, user_days, item_days = day_tables(*frames)
    counts = ", ".join(f"coalesce({name}, 0) AS {name}" for name in FROM_ZERO)
    expected = answer(USER_DAY_SQL.format(counts=counts), *logs)
    found = {(row.user_id, row.day): row.asDict() for row in conform(user_days, USER_DAYS).collect()}
    assert len(found) == len(expected) > 40
    for row in expected:
        mine = found[row["user_id"], row["day"]]
        assert rounded({name: mine[name] for name in row}) == rounded(row)
    expected = answer(USER_ITEM_DAY_SQL, *logs)
    rows = conform(item_days, USER_ITEM_DAYS).collect()
    items = {(row.user_id, row.item_id, row.day): row.asDict() for row in rows}
    assert len(items) == len(rows) == len(expected)
    for row in expected:
        mine = items[row["user_id"], row["item_id"], row["day"]]
        assert rounded({name: mine[name] for name in row}) == rounded(row)


@pytest.mark.slow
def test_logs_that_come_in_batches_in_any_order_give_the_tables_of_one_full_build(spark, shop, logs):
    events, orders, ratings = logs
    early = [row for row in events if hash_of(row["event_id"]) % 3 == 1]
    shop.log(EVENTS, *early)
    shop.log(RATINGS, *ratings)
    shop.update()
    shop.log(ORDERS, *orders)
    shop.log(EVENTS, *(row for row in events if row not in early and row["event_time"].day % 3))
    shop.update()
    shop.log(EVENTS, *(row for row in events if row not in early and row["event_time"].day % 3 == 0))
    shop.update()
    whole = day_tables(*(frame_of(spark, contract, *rows) for contract, rows in zip(LOGS, logs, strict=True)))
    for table, frame in zip((SESSIONS, USER_DAYS, USER_ITEM_DAYS), whole, strict=True):
        built = shop.lake.read(table).drop("user_bucket")
        assert {tuple(row) for row in built.collect()} == {tuple(row) for row in conform(frame, table).collect()}
    assert shop.update() == {}, "nothing changed, so nothing is built"


def test_how_rows_are_spread_over_partitions_changes_nothing(spark, logs):
    frames = [frame_of(spark, contract, *rows) for contract, rows in zip(LOGS, logs, strict=True)]
    spread = [frame.repartition(5, F.rand(1)) for frame in frames]
    for one, other in zip(day_tables(*frames), day_tables(*spread), strict=True):
        assert {tuple(row) for row in one.collect()} == {tuple(row) for row in other.collect()}


@pytest.mark.slow
def test_the_layout_of_the_tasks_changes_nothing_and_keeps_a_user_and_day_together(spark, logs):
    frames = [frame_of(spark, contract, *rows) for contract, rows in zip(LOGS, logs, strict=True)]
    whole = [{tuple(row) for row in table.collect()} for table in day_tables(*frames)]
    ranges = Layout(starts=(day("2024-02-28"), day("2024-03-02")), slices=(1, 3, 1), is_few=False)
    for layout in (ranges, Layout(slices=(4,), is_few=False)):
        tables = day_tables(*frames, layout=layout)
        assert [{tuple(row) for row in table.collect()} for table in tables] == whole
        places = layout.gather(frames[0]).select("user_id", "day", F.spark_partition_id().alias("place")).distinct()
        assert max(places.groupBy("user_id", "day").count().collect(), key=lambda row: row["count"])["count"] == 1
    found = ranges.gather(frames[0]).groupBy("task").agg(F.min("day").alias("first"), F.max("day").alias("last"))
    assert {row.task for row in found.where("first < '2024-02-28'").collect()} == {0}
    assert {row.task for row in found.where("last >= '2024-03-02'").collect()} == {4}


@pytest.mark.slow
def test_a_small_shop_has_one_file_a_table_in_the_order_of_days_whenever_its_rows_came(shop, logs):
    events, orders, _ = logs
    shop.log(ORDERS, *orders)
    shop.log(EVENTS, *(row for row in events if row["event_time"].day != 1))
    shop.update()
    shop.log(EVENTS, *(row for row in events if row["event_time"].day == 1))
    shop.update()
    for table in (SESSIONS, USER_DAYS, USER_ITEM_DAYS, ITEM_DAYS):
        assert len(list(Path(shop.lake.path(table.name)).glob("*.parquet"))) >= 2, "the files of both versions"
        assert len(DeltaTable(shop.lake.path(table.name)).file_uris()) == 1
    shop.lake = Lake(shop.spark, shop.lake.path("anew"))
    shop.log(EVENTS, *events)
    shop.update()
    (file,) = DeltaTable(shop.lake.path(USER_DAYS.name)).file_uris()
    days = pq.read_table(file, columns=["day"])["day"].to_pylist()
    assert days == sorted(days)


def hash_of(text):
    return sum(map(ord, text)) * 7919


@pytest.mark.slow
def test_a_late_event_that_joins_two_visits_over_midnight_mends_both_days(shop):
    shop.log(
        EVENTS, event(1, "a", "2024-03-01 23:40"), event(2, "a", "2024-03-02 00:20"), event(3, "a", "2024-03-05 09:00")
    )
    shop.update()
    before = shop.rows(USER_DAYS)
    assert [before["a", day(f"2024-03-0{n}")].sessions for n in (1, 2, 5)] == [1, 1, 1]
    shop.log(EVENTS, event(4, "a", "2024-03-01 23:59"))
    shop.update()
    after = shop.rows(USER_DAYS)
    assert [after["a", day(f"2024-03-0{n}")].sessions for n in (1, 2, 5)] == [1, 0, 1]
    first = after["a", day("2024-03-01")]
    assert (first.events, first.session_events, first.session_seconds, first.bounces) == (2, 3, 2400, 0)
    assert after["a", day("2024-03-02")].events == 1
    assert [row.days for row in shop.lake.read(DAY_BUILDS).orderBy("ingest_seq").collect()] == [3, 1]


@pytest.mark.slow
def test_an_order_that_comes_later_leaves_the_visit_whole_that_began_the_day_before(shop):
    shop.log(EVENTS, event(1, "a", "2024-03-01 23:50"), event(2, "a", "2024-03-02 00:10"))
    shop.update()
    shop.log(ORDERS, order("o", "a", "2024-03-02 00:12", 5.0))
    shop.update()
    days = shop.rows(USER_DAYS)
    assert [days["a", day(f"2024-03-0{n}")].sessions for n in (1, 2)] == [1, 0]
    assert days["a", day("2024-03-02")].orders == 1


@pytest.mark.slow
def test_a_build_that_broke_off_is_done_again_and_another_gap_rebuilds_every_day(shop, monkeypatch):
    shop.log(
        EVENTS, event(1, "a", "2024-03-01 10:00"), event(2, "a", "2024-03-01 10:20"), event(3, "a", "2024-03-03 10:00")
    )
    with monkeypatch.context() as broken:
        broken.setattr(stage, "count_user_item_days", lambda *_: (_ for _ in ()).throw(RuntimeError("power cut")))
        with pytest.raises(RuntimeError, match="power cut"):
            shop.update()
    assert shop.lake.read(DAY_BUILDS).isEmpty()
    assert shop.update()["sessions"] == 2
    assert shop.update(FeaturesConfig(session_gap_minutes=15))["sessions"] == 3


def test_whoever_makes_more_events_on_a_day_than_the_bound_is_a_bot(spark):
    busy = [event(f"b{n}", "busy", f"2024-03-01 10:{n:02}") for n in range(6)]
    calm = [event(f"c{n}", "calm", f"2024-03-01 10:{n:02}") for n in range(5)]
    frames = (frame_of(spark, contract, *rows) for contract, rows in zip(LOGS, ([*busy, *calm], [], []), strict=True))
    _, user_days, _ = day_tables(*frames, FeaturesConfig(bot_events_per_day=5))
    assert {row.user_id: row.is_bot for row in user_days.collect()} == {"busy": True, "calm": False}


@pytest.mark.slow
def test_item_days_add_up_the_rows_of_all_users(spark, shop, logs):
    events, orders, ratings = logs
    late = order("late", "u3", "2024-02-28 10:00", 7.0, 2.0, item="i1", category="c9")
    shop.log(EVENTS, *events)
    shop.log(ORDERS, *orders)
    shop.update()
    shop.log(ORDERS, late)
    shop.update()
    expected = answer(ITEM_DAY_SQL, events, [*orders, late], ratings)
    found = {key: row.asDict() for key, row in shop.rows(ITEM_DAYS).items()}
    assert len(found) == len(expected) > 40
    for row in expected:
        mine = found[row["item_id"], row["day"], row["category"]]
        assert rounded({name: mine[name] for name in row}) == rounded(row)


def test_a_day_on_which_ratings_alone_came_is_built(shop):
    shop.log(RATINGS, {"user_id": "a", "item_id": "i", "rated_at": at("2024-03-01 10:00"), "rating": 4.0})
    assert shop.update()["user_days"] == 1
    assert shop.rows(USER_DAYS)["a", day("2024-03-01")].rating_sum == 4.0
