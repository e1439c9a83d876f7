"""When things happen: days are counted from the first day of the logs."""

from pyspark.sql import Column
from pyspark.sql import functions as F

from segspark.shop.config import ShopConfig
from segspark.shop.draws import allotted

PEAK_FROM, PEAK_TO, PEAK_RATE = 0.60, 0.66, 2.0  # a sale: shares of the period, and visits against a usual day


def busy_time(day: Column, config: ShopConfig) -> Column:
    """Usual days' worth of visits up to `day`: runs at double speed through the peak."""
    begin, end = PEAK_FROM * config.days, PEAK_TO * config.days
    inside = F.greatest(F.lit(0.0), F.least(F.lit(end), day) - begin)
    return day + inside * (PEAK_RATE - 1)


def day_at(busy: Column, config: ShopConfig) -> Column:
    """The inverse of `busy_time`."""
    begin, end = PEAK_FROM * config.days, PEAK_TO * config.days
    inside = F.greatest(F.lit(0.0), F.least(F.lit((end - begin) * PEAK_RATE), busy - begin))
    return busy - inside * (1 - 1 / PEAK_RATE)


def weekend_adjusted(day: Column, place: Column, config: ShopConfig) -> Column:
    """The day itself, or the last weekend day before it where place `place` of the user's visits is a weekend's, or
    the Friday before it where it is not; never before the user's first day."""
    wants_weekend = allotted(place, F.col("weekends"), F.col("visits")) > 0
    monday_based = (day + config.starts_on.weekday()) % 7
    to_weekend = F.when(monday_based >= 5, 0).otherwise(monday_based + 1)
    to_friday = F.when(monday_based >= 5, monday_based - 4).otherwise(0)
    moved = day - F.when(wants_weekend, to_weekend).otherwise(to_friday)
    return F.when(moved < F.col("first_day"), day).otherwise(moved).cast("int")


def instant(day: Column, seconds: Column, config: ShopConfig) -> Column:
    """The time so many seconds into a day."""
    return F.timestamp_seconds(F.unix_date(F.lit(config.starts_on)) * 86_400 + day * 86_400 + seconds)
