"""Events to visits.

A visit ends with a silence longer than the gap, belongs to the UTC day on which it began, and is cut at 24 hours. So
that the visits of a day depend on that day and its two neighbours only, one more rule: after a day through which a user
was never silent for longer than the gap, a new visit begins at midnight. No person does that.

Events are first counted by slots: a day is cut into slots as long as the gap, so that events of one slot always belong
together. What is sorted afterwards are slots, of which there are far fewer than events. A visit's 24 hours are counted
from the beginning of the slot in which it began, so that no visit is longer.
"""

from pyspark.sql import Column, DataFrame, Window
from pyspark.sql import functions as F

from segspark.features.config import FeaturesConfig
from segspark.features.exact import DAY_MICROS, count_if, day_of, is_night
from segspark.features.kinds import KINDS, kind_number

COUNTS = ("events", *KINDS, "night_events")


def count_slots(events: DataFrame, config: FeaturesConfig) -> DataFrame:
    """One row per user and slot with any event: counts by kind, first and last time in microseconds.

    Events without a user are left out.
    """
    time = F.unix_micros("event_time")
    slot = time - (time % DAY_MICROS) % _gap(config)
    at_night = is_night(F.col("time"), config.night_from_hour, config.night_to_hour)
    return (
        events.where(F.col("user_id").isNotNull())
        .select("user_id", kind_number(KINDS).alias("kind"), time.alias("time"), slot.alias("slot"))
        .groupBy("user_id", "slot")
        .agg(
            F.count(F.lit(1)).alias("events"),
            *(count_if(F.col("kind") == number).alias(name) for number, name in enumerate(KINDS)),
            count_if(at_night).alias("night_events"),
            F.min("time").alias("first_time"),
            F.max("time").alias("last_time"),
        )
    )


def cut_visits(slots: DataFrame, config: FeaturesConfig) -> DataFrame:
    """One row per user and visit: `visit` in microseconds, counts, first and last time, and the share of the next day.

    `visit` is the beginning of the visit's first slot and with the user names the visit. Of a visit that goes on after
    midnight `late_*` are the counts and the first time of the day after, `early_last_time` is the last time before.
    """
    by_time = Window.partitionBy("user_id").orderBy("slot")
    silence = F.col("first_time") - F.lag("last_time").over(by_time)
    is_start = F.coalesce(silence > _gap(config), F.lit(True))
    so_far = by_time.rowsBetween(Window.unboundedPreceding, Window.currentRow)
    is_late = F.col("slot") - F.col("slot") % DAY_MICROS > F.col("visit") - F.col("visit") % DAY_MICROS
    return (
        slots.withColumn("start", F.when(is_start, F.col("slot")))
        .withColumn("run", F.max("start").over(so_far))
        .withColumn("visit", _visit(F.col("slot") - F.col("slot") % DAY_MICROS))
        .withColumn("is_late", is_late)
        .groupBy("user_id", "visit")
        .agg(
            *(F.sum(name).alias(name) for name in COUNTS),
            F.min("first_time").alias("first_time"),
            F.max("last_time").alias("last_time"),
            *(F.sum(F.when(F.col("is_late"), F.col(name)).otherwise(0)).alias(f"late_{name}") for name in COUNTS),
            F.min(F.when(F.col("is_late"), F.col("first_time"))).alias("late_first_time"),
            F.max(F.when(~F.col("is_late"), F.col("last_time"))).alias("early_last_time"),
        )
    )


def list_sessions(visits: DataFrame) -> DataFrame:
    """One row per visit, as the table `sessions` has it, from the rows of `cut_visits`."""
    session_id = F.concat_ws("-", F.hex(F.xxhash64("user_id")), F.hex("first_time"))
    return visits.select(
        F.lower(session_id).alias("session_id"),
        "user_id",
        day_of(F.col("visit")).alias("day"),
        F.timestamp_micros("first_time").alias("started_at"),
        F.timestamp_micros("last_time").alias("ended_at"),
        "events",
        "views",
        "carts",
        "purchases",
        is_bounce().alias("bounced"),
    )


def is_bounce() -> Column:
    """Whether a visit is a single event that is no purchase."""
    return (F.col("events") == 1) & (F.col("purchases") == 0)


def _visit(day_start: Column) -> Column:
    """The name of a slot's visit, from `run`, the first slot since the last silence.

    A run goes on into its second day unless it began in the first slot of a day, for then it filled that day; from the
    third day on it has filled the day before.
    """
    run, slot = F.col("run"), F.col("slot")
    first_day = run - run % DAY_MICROS
    goes_on = (day_start == first_day) | ((day_start == first_day + DAY_MICROS) & (run != first_day))
    cut_at = run + DAY_MICROS
    return F.when(goes_on, F.when(slot < cut_at, run).otherwise(cut_at)).otherwise(day_start)


def _gap(config: FeaturesConfig) -> int:
    return config.session_gap_minutes * 60_000_000
