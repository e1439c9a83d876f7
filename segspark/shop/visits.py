"""Every visit of every user: when, what for, and how many events of each kind."""

from pyspark.sql import Column, DataFrame
from pyspark.sql import functions as F

from segspark.shop.calendar import busy_time, day_at, instant, weekend_adjusted
from segspark.shop.config import ShopConfig
from segspark.shop.draws import allotted, before, bits, hashed, numbers_below, turned, uniform
from segspark.shop.personas import CLICKS_PER_VISIT, SEARCHES_PER_VISIT, WISHES_PER_VISIT

SECONDS_PER_EVENT = 40  # a person's mean pace
SECONDS_PER_BOT_EVENT = 2
DEVICES = ("phone", "phone", "desktop", "desktop", "tablet")

# The events of a visit, in their order; each is a column of `visits` that counts them.
STEPS = (
    ("impressions", "impression"),
    ("clicks", "click"),
    ("searches", "search"),
    ("page_views", "view"),
    ("wishes", "wishlist"),
    ("carts", "add_to_cart"),
    ("removals", "remove_from_cart"),
    ("purchases", "purchase"),
)


def visits(people_frame: DataFrame, config: ShopConfig) -> DataFrame:
    """One row per visit: the user's columns that events need, `visit`, `started_at`, `is_order`, `first_line` (number
    of the user's order lines before the visit), `first_view` and the counts of STEPS."""
    frame = people_frame.withColumn("visit", numbers_below(F.col("visits")))
    visit, orders_before = F.col("visit"), before(F.col("visit"), F.col("orders"), F.col("visits"))
    frame = frame.withColumns(
        {
            "order": orders_before,
            "is_order": allotted(visit, F.col("orders"), F.col("visits")) > 0,
            "first_view": before(visit, F.col("views"), F.col("visits")),
            "page_views": allotted(visit, F.col("views"), F.col("visits")),
            "mixed": hashed(config.seed, "visit", F.col("number"), visit),
        }
    )
    frame = _with_day(frame, config)
    frame = frame.withColumn("started_at", instant(F.col("day_number"), _second_of_day(), config))
    return _with_counts(frame)


def _with_day(frame: DataFrame, config: ShopConfig) -> DataFrame:
    """Visits lie evenly, with some jitter, between the user's first and last day, denser in the peak."""
    visit, count = F.col("visit"), F.col("visits")
    is_last = visit == count - 1
    jitter = F.when(is_last, 0.0).otherwise(0.7 * uniform(config.seed, "jitter", F.col("number"), visit))
    begin = busy_time(F.col("first_day").cast("double"), config)
    end = busy_time(F.col("last_day").cast("double"), config)
    frame = frame.withColumn("busy", begin + (end - begin) * (visit + 1 - jitter) / count)
    even = F.floor(day_at(F.col("busy"), config)).cast("int")
    frame = frame.withColumn("even_day", F.when(is_last, F.col("last_day")).otherwise(even))
    place = turned(visit, F.col("weekend_phase"), count)
    return frame.withColumn("day_number", weekend_adjusted(F.col("even_day"), place, config))


def _second_of_day() -> Column:
    """Night visits begin from 22:00 to 05:14, the others from 06:30 to 20:59; some of the former cross midnight."""
    place = turned(F.col("visit"), F.col("night_phase"), F.col("visits"))
    is_night = allotted(place, F.col("nights"), F.col("visits")) > 0
    second = bits(F.col("mixed"), 0, 86_400)
    at_night = (F.lit(79_200) + second % 26_100) % 86_400
    return F.when(F.col("is_bot"), second % 36_000).when(is_night, at_night).otherwise(23_400 + second % 52_200)


def _with_counts(frame: DataFrame) -> DataFrame:
    person = ~F.col("is_bot")
    visit, visit_count, turn = F.col("visit"), F.col("visits"), F.col("search_phase")
    others_before = visit - F.col("order")
    abandons = allotted(others_before, F.col("abandoned"), visit_count - F.col("orders")) > 0
    is_abandoned = ~F.col("is_order") & abandons
    place = turned(visit, turn, visit_count)

    def some(rate: float) -> Column:
        return F.when(person, allotted(place, F.round(visit_count * rate), visit_count)).otherwise(0)

    first_line = before(F.col("order"), F.col("lines"), F.col("orders"))
    lines_here = allotted(F.col("order"), F.col("lines"), F.col("orders"))
    lines = F.when(F.col("is_order"), lines_here).otherwise(0)
    removed = is_abandoned & (bits(F.col("mixed"), 24, 2) == 0)
    return frame.withColumns(
        {
            "first_line": first_line,
            "line_count": lines,
            "impressions": person.cast("int"),
            "clicks": some(CLICKS_PER_VISIT),
            "searches": some(SEARCHES_PER_VISIT),
            "wishes": some(WISHES_PER_VISIT),
            "carts": lines + is_abandoned.cast("int"),
            "removals": removed.cast("int"),
            "purchases": lines,
            "device": F.array(*map(F.lit, DEVICES))[bits(F.col("mixed"), 30, len(DEVICES))],
        }
    )
