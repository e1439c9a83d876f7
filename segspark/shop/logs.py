"""What the shop writes down: events, order lines and ratings in the shape of the tables, without a bad row."""

import operator
from datetime import timedelta
from functools import reduce

from pyspark.sql import Column, DataFrame, SparkSession
from pyspark.sql import functions as F

from segspark.shop.calendar import day_at, instant
from segspark.shop.catalogue import category_of, item_id, popular, price_of
from segspark.shop.config import ShopConfig
from segspark.shop.draws import allotted, bits, hashed, numbers_below, turned, uniform
from segspark.shop.personas import TYPICAL
from segspark.shop.picks import with_item
from segspark.shop.visits import SECONDS_PER_BOT_EVENT, SECONDS_PER_EVENT, STEPS

DISCOUNT = 0.2  # of the price, on discounted lines
MEAN_RATING = 3.9


def events(visits_frame: DataFrame, config: ShopConfig) -> DataFrame:
    """One row per event of a user, in the shape of the events table."""
    total = _events_in(STEPS)
    frame = visits_frame.withColumn("event", numbers_below(total))
    event_type, place = _step()
    frame = frame.withColumn("event_type", event_type).withColumn("place", place)
    frame = with_item(frame.withColumn("pick", _pick()), config)
    item = F.when(F.col("event_type") != "search", F.col("item"))
    return frame.select(
        F.concat_ws("-", F.lit("e"), "number", "visit", "event").alias("event_id"),
        "user_id",
        F.timestamp_add("SECOND", _seconds_in_visit(config), F.col("started_at")).alias("event_time"),
        "event_type",
        item_id(item).alias("item_id"),
        category_of(item, config).alias("category"),
        price_of(item, config).alias("price"),
        F.concat_ws("-", F.lit("s"), "number", "visit").alias("session_id"),
        "device",
        "region",
    )


def order_lines(visits_frame: DataFrame, config: ShopConfig) -> DataFrame:
    """One row per order line of a user, in the shape of the orders table, with `rated` for the ratings."""
    frame = visits_frame.withColumn("line", numbers_below(F.col("line_count"))).where(F.col("line").isNotNull())
    frame = frame.withColumn("pick", F.col("first_line") + F.col("line"))
    events_before = _events_in(STEPS[:-1])
    ordered = F.timestamp_add("SECOND", events_before * SECONDS_PER_EVENT, F.col("started_at"))
    mixed = hashed(config.seed, "line", F.col("number"), F.col("pick"))
    frame = with_item(frame.withColumns({"mixed": mixed, "order_time": ordered}), config)
    is_rated = (
        allotted(turned(F.col("pick"), F.col("rating_phase"), F.col("lines")), F.col("rated"), F.col("lines")) > 0
    )
    return frame.select(
        F.concat_ws("-", F.lit("o"), "number", "order").alias("order_id"),
        (F.col("line") + 1).alias("line"),
        "user_id",
        *_goods(config, _is_discounted()),
        _status().alias("status"),
        "order_time",
        is_rated.alias("is_rated"),
        "mixed",
    )


def guest_lines(spark: SparkSession, config: ShopConfig) -> DataFrame:
    """One row per order line of somebody without an account: one or two popular items, at any time."""
    orders = sum(share * count for share, count in zip(TYPICAL["share"], TYPICAL["orders"], strict=True))
    frame = spark.range(round(config.users * orders * config.activity * config.guest_share)).withColumnRenamed(
        "id", "guest"
    )
    mixed = hashed(config.seed, "guest", F.col("guest"))
    frame = frame.withColumn("line", numbers_below(1 + bits(mixed, 40, 2)))
    busy = uniform(config.seed, "guest.time", F.col("guest")) * (0.99 * config.days)
    point = uniform(config.seed, "guest.item", F.col("guest"), F.col("line"))
    line_mixed = hashed(config.seed, "guest.line", F.col("guest"), F.col("line"))
    frame = frame.withColumns(
        {
            "item": popular(point, line_mixed, config),
            "mixed": line_mixed,
            "order_time": instant(F.floor(day_at(busy, config)), bits(mixed, 0, 86_400), config),
        }
    )
    return frame.select(
        F.concat_ws("-", F.lit("g"), "guest").alias("order_id"),
        (F.col("line") + 1).alias("line"),
        F.lit(None).cast("string").alias("user_id"),
        *_goods(config, bits(F.col("mixed"), 30, 5) == 0),
        F.lit("paid").alias("status"),
        "order_time",
    )


def ratings(lines: DataFrame, config: ShopConfig) -> DataFrame:
    """One row per rating, some days after the order and within the logs, in the shape of the ratings table."""
    ends_at = F.lit(config.ends_on + timedelta(days=1)).cast("timestamp")
    waited = 86_400 * (1 + bits(F.col("mixed"), 40, 9)) + bits(F.col("mixed"), 20, 80_000) + F.col("line")
    stars = F.round(MEAN_RATING + 2.2 * (bits(F.col("mixed"), 0, 1_000) / 1_000 - 0.5))
    frame = lines.where(F.col("is_rated") & (F.col("status") == "paid"))
    frame = frame.withColumn("rated_at", F.timestamp_add("SECOND", waited, F.col("order_time")))
    return frame.where(F.col("rated_at") < ends_at).select(
        "user_id",
        "item_id",
        "rated_at",
        stars.cast("double").alias("rating"),
        F.when(bits(F.col("mixed"), 36, 10) == 0, F.lit("as described")).alias("review"),
    )


def _events_in(steps: tuple[tuple[str, str], ...]) -> Column:
    return reduce(operator.add, [F.col(column) for column, _ in steps])


def _step() -> tuple[Column, Column]:
    """The event's type, and its place among the events of that type in the visit."""
    start: Column = F.lit(0)
    event_type, place = F.lit(None).cast("string"), F.lit(None).cast("int")
    edges = []
    for column, name in STEPS:
        edges.append((start, name))
        start = start + F.col(column)
    for begin, name in edges:
        reached = F.col("event") >= begin
        event_type = F.when(reached, F.lit(name)).otherwise(event_type)
        place = F.when(reached, F.col("event") - begin).otherwise(place)
    return event_type, place


def _pick() -> Column:
    """Cart and purchase events are about the order's lines; in an order's visit the first views are of them too. A
    cart without an order holds what was looked at first; what was shown on arrival is the next look."""
    looks = F.col("lines") + F.col("first_view")
    is_of_line = F.col("is_order") & (F.col("place") < F.col("line_count"))
    is_about_line = is_of_line & F.col("event_type").isin("view", "add_to_cart", "purchase")
    return F.when(is_about_line, F.col("first_line") + F.col("place")).otherwise(looks + F.col("place"))


def _seconds_in_visit(config: ShopConfig) -> Column:
    is_bot = F.col("is_bot")
    pace = F.when(is_bot, SECONDS_PER_BOT_EVENT).otherwise(SECONDS_PER_EVENT)
    jitter = bits(hashed(config.seed, "pace", F.col("number"), F.col("visit"), F.col("event")), 0, SECONDS_PER_EVENT)
    is_purchase = F.col("event_type") == "purchase"  # the lines of an order are bought in one moment
    event = F.when(is_purchase, F.col("event") - F.col("place")).otherwise(F.col("event"))
    return event * pace + F.when(is_bot | is_purchase, 0).otherwise(jitter)


def _goods(config: ShopConfig, is_discounted: Column) -> list[Column]:
    item = F.col("item")
    quantity = F.when(bits(F.col("mixed"), 10, 8) == 0, 2.0).otherwise(1.0)
    off = F.round(DISCOUNT * quantity * price_of(item, config), 2)
    return [
        item_id(item).alias("item_id"),
        category_of(item, config).alias("category"),
        quantity.alias("quantity"),
        price_of(item, config).alias("unit_price"),
        F.when(is_discounted, off).otherwise(0.0).alias("discount"),
    ]


def _is_discounted() -> Column:
    place = turned(F.col("pick"), F.col("discount_phase"), F.col("lines"))
    return allotted(place, F.col("discounts"), F.col("lines")) > 0


def _status() -> Column:
    """Never the last line of all, so that the last order stays one."""
    place = F.col("lines") - 1 - F.col("pick")
    is_back = allotted(place, F.col("refunds"), F.col("lines")) > 0
    back = F.when(bits(F.col("mixed"), 0, 4) == 0, "cancelled").otherwise("refunded")
    return F.when(is_back, back).otherwise("paid")
