"""What the features tests share: a stage run in one line, and rows as a shop would log them."""

import random
from datetime import timedelta

from pyspark.sql import functions as F

from segspark.core.contracts import EVENTS, ITEMS, ORDERS, RATINGS, USERS
from segspark.core.stage import Run, StageContext
from segspark.features.config import FeaturesConfig
from segspark.features.days import count_user_days
from segspark.features.item_days import count_purchases, count_user_item_days
from segspark.features.items import describe_items, place_items, price_categories
from segspark.features.layout import ONE_TASK
from segspark.features.preparation.stage import write_prepared
from segspark.features.sources import Sources
from segspark.features.stage import build_features, update_days, write_user_features
from segspark.features.taste import measure_taste
from segspark.features.touches import item_key, single_touches, sum_touches
from segspark.features.users import describe_users
from segspark.features.visits import count_slots, cut_visits, list_sessions
from tests.builders import at, day, rows_of

CLOCKS = {"events": "event_time", "orders": "order_time", "ratings": "rated_at"}


class Shop:
    """A lake with logs: rows are appended, the stage is run, tables are read back."""

    def __init__(self, spark, lake):
        self.spark, self.lake, self.seq = spark, lake, 0

    def log(self, contract, *rows):
        """Appends rows as one more file; `day` follows from the time column."""
        self.seq += 1
        frame = frame_of(self.spark, contract, *({**row, "ingest_seq": self.seq} for row in rows))
        self.lake.append(contract, frame)

    def context(self, as_of, run_id="run-1"):
        return StageContext(self.lake, Run(run_id, day(as_of), self.seq, 7))

    def update(self, config=None):
        return update_days(self.context("2030-01-01"), config or FeaturesConfig()).rows

    def run(self, as_of, config=None, run_id="run-1"):
        """All parts of the stage; what the last one said that was done."""
        context, config = self.context(as_of, run_id), config or FeaturesConfig()
        update_days(context, config)
        described = build_features(context, config)
        return described if described.skipped else write_prepared(context, config)

    def describe(self, as_of, config, run_id):
        """Up to the user features, without the preparation."""
        update_days(self.context(as_of, run_id), config)
        write_user_features(self.context(as_of, run_id), config, Sources(events=True, orders=True, ratings=True))

    def rows(self, contract, run_id="run-1"):
        frame = self.lake.read_run(contract, run_id) if contract.kind == "run" else self.lake.read(contract)
        return {tuple(row[key] for key in contract.key): row for row in frame.collect()}


def frame_of(spark, contract, *rows):
    """Log rows as a frame; `day` follows from the time column."""
    clock = CLOCKS.get(contract.name)
    return rows_of(spark, contract, *({**row, "day": row[clock].date()} if clock else row for row in rows))


def day_tables(events, orders, ratings, config=None, layout=ONE_TASK):
    """sessions, user_days and user_item_days of whole logs, without a lake."""
    config = config or FeaturesConfig()
    parts = cut_visits(count_slots(events, config), config)
    sessions = list_sessions(parts)
    user_days = count_user_days(parts, sessions, orders, ratings, config, layout)
    return sessions, user_days.drop("task"), count_user_item_days(events, orders, layout).drop("task")


def features_of(spark, as_of, config=None, **logs):
    """User features by user, from rows of logs by name, without a lake."""
    config, as_of = config or FeaturesConfig(), day(as_of)
    frames = {c.name: frame_of(spark, c, *logs.get(c.name, ())) for c in (EVENTS, ORDERS, RATINGS, USERS, ITEMS)}
    tables = day_tables(frames["events"], frames["orders"], frames["ratings"], config)
    _, user_days, item_days = (table.cache() for table in tables)
    described = describe_items(item_days, frames["items"], as_of).cache()
    items = place_items(described, price_categories(described))
    touches = touches_of(item_days.where(F.col("day") < F.lit(as_of)), items)
    purchases = count_purchases(frames["orders"].where(F.col("day") < F.lit(as_of)))
    taste = measure_taste(touches, purchases, items, config)
    sources = Sources(*(bool(logs.get(name)) for name in ("events", "orders", "ratings")))
    rows = describe_users(user_days, taste, frames["users"], as_of, config, sources).collect()
    spark.catalog.clearCache()
    assert len({row.user_id for row in rows}) == len(rows)
    return {row.user_id: row.asDict() for row in rows}


def touches_of(item_days, items):
    """The rows of `sum_touches`, from nothing."""
    return sum_touches([single_touches(item_days, 0)], items.withColumn("item_key", item_key(0)), 2)


def event(number, user, time, kind="view", **more):
    """One event: `event(1, "ann", "2024-03-01 10:00")`."""
    return {"event_id": str(number), "user_id": user, "event_time": at(time), "event_type": kind, **more}


def order(order_id, user, time, price, quantity=1.0, line=1, status="paid", item="i", **more):
    """One order line."""
    plain = {"order_id": order_id, "line": line, "user_id": user, "item_id": item, "status": status}
    return {**plain, "order_time": at(time), "unit_price": price, "quantity": quantity, "discount": None, **more}


def random_logs(seed, users=12, days=9, first="2024-02-26"):
    """Events, orders and ratings of some users over some days, at irregular times and often over midnight."""
    draw = random.Random(seed)
    start = at(first)
    kinds = ["impression", "view", "view", "click", "search", "add_to_cart", "wishlist", "purchase"]
    events, orders, ratings = [], [], []
    for user in [f"u{number}" for number in range(users)]:
        for _ in range(draw.randint(1, 6)):
            time = start + timedelta(minutes=draw.randint(0, days * 1440 - 1))
            for _ in range(draw.randint(1, 9)):
                item, price = f"i{draw.randint(0, 9)}", draw.randint(100, 9999) / 100
                more = {"item_id": item, "category": f"c{int(item[1:]) % 3}", "price": price}
                events.append(event(f"e{len(events)}", user, str(time), draw.choice(kinds), **more))
                time += timedelta(seconds=draw.randint(0, 2400))
        for _ in range(draw.randint(0, 4)):
            time = start + timedelta(minutes=draw.randint(0, days * 1440 - 1))
            for line in range(1, draw.randint(2, 5)):
                item, price = f"i{draw.randint(0, 9)}", draw.randint(100, 9999) / 100
                more = {"item": item, "category": f"c{int(item[1:]) % 3}", "discount": draw.choice([None, 0.5])}
                status = draw.choice(["paid", "paid", "paid", "refunded"])
                name = f"o{len(orders)}" if line == 1 else orders[-1]["order_id"]
                orders.append(order(name, user, str(time), price, draw.randint(1, 5) * 1.0, line, status, **more))
        rated = start + timedelta(minutes=draw.randint(0, days * 1440 - 1))
        ratings.append({"user_id": user, "item_id": "i1", "rated_at": rated, "rating": draw.randint(2, 10) / 2})
    return events, orders, ratings
