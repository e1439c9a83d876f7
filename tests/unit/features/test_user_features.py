"""User features by hand and against DuckDB."""

import math

import pytest

from segspark.core.contracts import EVENTS, ITEMS, ORDERS, RATINGS, USER_FEATURES, USERS
from segspark.core.errors import InputError
from segspark.features.config import FeaturesConfig
from tests.builders import at
from tests.unit.features.shops import CLOCKS, event, features_of, order, random_logs
from tests.unit.features.test_day_tables import answer

AS_OF = "2024-03-04"
SQL = """
WITH e AS (SELECT *, event_time::date AS day FROM events WHERE event_time < '{as_of}'),
     o AS (SELECT *, order_time::date AS day, quantity * unit_price - coalesce(discount, 0) AS net
           FROM orders WHERE order_time < '{as_of}'),
     p AS (SELECT * FROM o WHERE status = 'paid'),
     ef AS (SELECT user_id, count(*) AS events, count(*) FILTER (day >= date '{as_of}' - 7) AS events_7d,
                   count(DISTINCT day) FILTER (day >= date '{as_of}' - 7) AS seen_7d,
                   count(*) FILTER (hour(event_time) >= 22 OR hour(event_time) < 6) / count(*) AS night_share,
                   count(*) FILTER (isodow(day) > 5) / count(*) AS weekend_share,
                   count(*) FILTER (event_type = 'click') / nullif(count(*) FILTER (event_type = 'impression'), 0)
                       AS click_rate,
                   count(*) FILTER (event_type = 'add_to_cart') / nullif(count(*) FILTER (event_type = 'view'), 0)
                       AS view_to_cart_rate,
                   date '{as_of}' - max(day) AS recency_visit_days FROM e GROUP BY 1),
     of AS (SELECT user_id, date '{as_of}' - max(day) AS recency_days, count(DISTINCT order_id) AS frequency,
                   sum(net) AS monetary, sum(net) / count(DISTINCT order_id) AS aov,
                   sum(quantity) / count(DISTINCT order_id) AS items_per_order,
                   sum(discount) / (sum(net) + sum(discount)) AS discount_share,
                   coalesce(sum(net) FILTER (day >= date '{as_of}' - 7), 0) AS spend_7d FROM p GROUP BY 1),
     rf AS (SELECT user_id, count(*) FILTER (status <> 'paid') / count(*) AS refund_share FROM o GROUP BY 1),
     c AS (SELECT category, sum(net) / sum(quantity) AS price FROM p GROUP BY 1),
     d AS (SELECT user_id, item_id, category, day, sum(net) AS net, sum(net) / sum(quantity) AS price
           FROM p GROUP BY ALL),
     pl AS (SELECT user_id, sum(d.net * d.price / c.price) / sum(d.net) AS price_level
            FROM d JOIN c USING (category) GROUP BY 1),
     ri AS (SELECT user_id, avg((n > 1)::int) AS repeat_item_share
            FROM (SELECT user_id, item_id, count(DISTINCT day) AS n FROM p GROUP BY ALL) GROUP BY 1),
     seen AS (SELECT user_id, entropy(category) * ln(2) AS entropy FROM e
              WHERE event_type IN ('view', 'click', 'add_to_cart', 'wishlist', 'purchase') GROUP BY 1),
     bought AS (SELECT user_id, entropy(category) * ln(2) AS entropy FROM p GROUP BY 1),
     en AS (SELECT user_id, coalesce(bought.entropy, seen.entropy) AS category_entropy
            FROM bought FULL JOIN seen USING (user_id)),
     gaps AS (SELECT user_id, day - lag(day) OVER (PARTITION BY user_id ORDER BY day) AS gap
              FROM (SELECT DISTINCT user_id, day FROM p)),
     gf AS (SELECT user_id, avg(gap) AS inter_purchase_days_mean, stddev_samp(gap) AS inter_purchase_days_std
            FROM gaps GROUP BY 1),
     rt AS (SELECT user_id, count(*) AS rating_count, avg(rating) AS rating_mean FROM ratings
            WHERE rated_at < '{as_of}' GROUP BY 1)
SELECT * EXCLUDE (seen_7d)
FROM ef FULL JOIN of USING (user_id) FULL JOIN rf USING (user_id) FULL JOIN pl USING (user_id)
FULL JOIN ri USING (user_id) FULL JOIN en USING (user_id) FULL JOIN gf USING (user_id) FULL JOIN rt USING (user_id)
"""
COUNTS = ("events", "events_7d", "frequency", "monetary", "spend_7d", "rating_count")


def values(shop, run_id="run-1"):
    return {user: row.asDict() for (user,), row in shop.rows(USER_FEATURES, run_id).items()}


def test_features_are_what_duckdb_computes_from_the_logs(spark):
    logs = random_logs(seed=11)
    named = dict(zip(("events", "orders", "ratings"), logs, strict=True))
    found = features_of(spark, AS_OF, FeaturesConfig(windows_days=(7,)), **named)
    expected = answer(SQL.format(as_of=AS_OF), *logs)
    assert {row["user_id"] for row in expected} == set(found)
    for row in expected:
        user = row.pop("user_id")
        for name, value in row.items():
            wanted = 0 if value is None and name in COUNTS else value
            tolerance = 1e-4 if "entropy" in name else 1e-6
            close = None if wanted is None else pytest.approx(wanted, rel=tolerance)
            assert found[user][name] == close, (user, name)


@pytest.mark.slow
def test_rows_at_or_after_as_of_change_nothing(shop):
    events, orders, ratings = random_logs(seed=5, users=6, days=9)
    before, after = {}, {}
    for contract, clock, rows in zip(
        (EVENTS, ORDERS, RATINGS), CLOCKS.values(), (events, orders, ratings), strict=True
    ):
        before[contract] = [row for row in rows if row[clock] < at(AS_OF)]
        after[contract] = [row for row in rows if row[clock] >= at(AS_OF)]
    before[EVENTS].append(event("late", "u1", "2024-03-03 23:50"))
    after[EVENTS] += [event("x", "u1", "2024-03-04 00:05"), event("y", "stranger", "2024-03-04 00:05", item_id="i1")]
    after[ORDERS].append(order("z", "stranger", "2024-03-04 00:00", 999.0, item="i1", category="c9"))
    before[USERS] = [{"user_id": "u1", "age": 30, "signup_time": at("2024-01-01")}]
    after[USERS] = [{"user_id": user, "age": 9, "signup_time": at(AS_OF)} for user in ("stranger", "u2")]
    after[ITEMS] = [{"item_id": "i1", "category": "c9", "launch_time": at(AS_OF)}]
    for run_id, logs in {"run-1": before, "run-2": after}.items():
        for contract, rows in logs.items():
            shop.log(contract, *rows)
        shop.describe(AS_OF, FeaturesConfig(windows_days=(7,)), run_id)
    assert values(shop, "run-2") == values(shop, "run-1")


def test_profiles_come_from_users_and_whoever_only_signed_up_has_zeros_and_unknowns(spark):
    orders = [order("o", "ann", "2024-03-01 10:00", 4.0, 3.0), order("p", "bob", "2024-03-02 10:00", 4.0)]
    ann = {
        "user_id": "ann",
        "age": 41,
        "income": 5e4,
        "gender": "f",
        "region": "north",
        "signup_time": at("2024-02-03"),
    }
    new = {"user_id": "new", "age": 20, "income": None, "signup_time": at("2024-03-03 23:59:59")}
    undated = {"user_id": "undated", "income": None}
    found = features_of(spark, AS_OF, orders=orders, users=[ann, new, undated])
    assert set(found) == {"ann", "bob", "new"}
    assert (found["ann"]["age"], found["ann"]["gender"], found["ann"]["tenure_days"]) == (41.0, "f", 30.0)
    assert (found["bob"]["age"], found["bob"]["tenure_days"]) == (None, 2.0)
    new = found["new"]
    assert (new["frequency"], new["monetary"], new["recency_days"], new["aov"]) == (0.0, 0.0, None, None)
    assert (new["sessions"], new["rating_count"], new["is_bot"]) == (None, None, False)


def test_new_products_are_those_within_60_days_of_launch_or_else_of_first_sale(spark):
    launches = {"fresh": at("2024-01-01"), "old": at("2020-01-01")}
    items = [{"item_id": item, "launch_time": launch} for item, launch in launches.items()]
    orders = [
        order("1", "ann", "2024-03-01 10:00", 1.0, item="fresh"),
        order("2", "ann", "2024-03-01 11:00", 1.0, item="old"),
        order("3", "ann", "2024-03-02 11:00", 1.0, item="fresh"),
        order("4", "bob", "2024-03-02 11:00", 3.0, item="unlisted"),
    ]
    found = features_of(spark, AS_OF, orders=orders, items=items)
    assert found["ann"]["new_product_share"] == pytest.approx(1 / 3), "1 March 2024 is day 60 of the launch, 2 March 61"
    assert found["bob"]["new_product_share"] == 1.0
    assert found["ann"]["repeat_item_share"] == 0.5


def test_the_favourite_category_is_the_most_bought_then_the_most_seen_then_the_first_by_name(spark):
    events = [event(n, "ann", "2024-03-01 10:00", item_id=f"i{n}", category="seen") for n in range(3)]
    events.append(event(8, "bob", "2024-03-01 10:00", item_id="x", category="b"))
    events.append(event(9, "bob", "2024-03-01 10:00", item_id="y", category="a"))
    orders = [order("1", "ann", "2024-03-01 10:00", 1.0, item="j", category="bought")]
    found = features_of(spark, AS_OF, events=events, orders=orders)
    assert (found["ann"]["favourite_category"], found["bob"]["favourite_category"]) == ("bought", "a")
    assert (found["ann"]["distinct_items"], found["ann"]["distinct_categories"]) == (4.0, 2.0)
    assert found["ann"]["category_entropy"] == 0.0
    assert found["bob"]["category_entropy"] == pytest.approx(math.log(2), abs=1e-3)


def test_without_logs_the_stage_is_skipped_and_an_early_as_of_is_refused(shop):
    assert "events, orders or ratings" in shop.run(AS_OF).skipped
    shop.log(ORDERS, order("1", "ann", "2024-03-01 10:00", 1.0))
    with pytest.raises(InputError, match=r"^as_of: no event, order or rating lies before 2024-03-01"):
        shop.run("2024-03-01")
