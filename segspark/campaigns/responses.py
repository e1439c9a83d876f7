"""What users did after a contact, or after the moment at which they were not contacted: rows as `evidence.py` says."""

from datetime import date

from pyspark.sql import Column, DataFrame
from pyspark.sql import functions as F

from segspark.campaigns.config import LiftConfig
from segspark.core.exact import exact_sum

KEY = ["campaign_id", "user_id"]
NOON = 12 * 3600  # seconds into the day at which a contact counts where no outcome of the campaign tells a time
TOLD_OF = 0.9  # share of each side of whom a sender must tell, to be believed of both


def planned_contacts(plans: DataFrame, outcomes: DataFrame) -> DataFrame:
    """One row per user of a planned campaign: who was to be contacted, and who is held out to compare with.

    `plans` has one row per campaign and user of published plans. The row adds starts_at, when the contact was made; for
    who was held out, or not reported as contacted on the planned day, that day at the campaign's median time of day:
    both sides have the same calendar, and the same hours of their first day. `delivered` is whether an outcome says
    that the contact was made, `on_time` whether on the planned day. Conversions that a sender tells count in campaigns
    where it tells them of TOLD_OF of the contacts that it made and of the held out, and so does revenue: else one side
    would be looked at by other eyes than the other.
    """
    no_conversion_pays = F.when(~F.col("converted"), F.lit(0.0))
    answers = outcomes.select(
        *KEY,
        F.when(F.col("treated"), F.col("sent_at")).alias("sent_at"),
        "converted",
        "converted_at",
        F.coalesce("revenue", no_conversion_pays).alias("revenue"),
    )
    sent = answers.where(F.col("sent_at").isNotNull())
    seconds = F.unix_timestamp("sent_at") - F.unix_timestamp(F.to_date("sent_at").cast("timestamp"))
    usual = sent.groupBy("campaign_id").agg(F.percentile(seconds, 0.5).cast("bigint").alias("__usual"))
    answered = plans.join(answers, on=KEY, how="left")
    is_told = [_is_told(name).alias(f"__{name}") for name in ("converted", "revenue")]
    told = answered.groupBy("campaign_id").agg(*is_told)
    rows = answered.join(F.broadcast(usual), on="campaign_id", how="left")
    rows = rows.join(F.broadcast(told), on="campaign_id", how="left")
    midnight = F.unix_timestamp(F.col("send_on").cast("timestamp"))
    planned_at = F.timestamp_seconds(midnight + F.coalesce("__usual", F.lit(NOON)))
    on_time = F.coalesce(F.to_date("sent_at") == F.col("send_on"), F.lit(False))
    return rows.select(
        *KEY,
        "segment_name",
        "action",
        (~F.col("holdout")).alias("treated"),
        "propensity",
        _allowed(rows),
        F.when(on_time, F.col("sent_at")).otherwise(planned_at).alias("starts_at"),
        F.col("sent_at").isNotNull().alias("delivered"),
        on_time.alias("on_time"),
        F.when(F.col("__converted"), F.col("converted")).alias("told_converted"),
        F.when(F.col("__revenue"), F.col("revenue")).alias("told_revenue"),
        "converted_at",
    )


def measure(contacts: DataFrame, logs: dict[str, DataFrame], as_of: date, config: LiftConfig) -> DataFrame:
    """One row per contact whose attribution window has closed before `as_of`, as `evidence.py` says.

    `contacts` are of `planned_contacts`; `logs` has orders, ratings and user_days. What the sender tells of conversion
    and revenue, where it counts, goes before what orders tell; a conversion outside the window is none.
    """
    closed = closed_windows(contacts, config.attribution_days, as_of).withColumn("starts_on", F.to_date("starts_at"))
    spans = closed.select(*KEY, "starts_at", "ends_at", "starts_on")
    parts = (
        _bought(spans, logs["orders"], config),
        _days(spans, logs["user_days"], config),
        _rated(spans, logs["ratings"], config),
    )
    for part in parts:
        closed = closed.join(part, on=KEY, how="left")
    orders = F.coalesce("orders", F.lit(0))
    is_outside = F.coalesce(~_is_inside("converted_at"), F.lit(False))
    return closed.select(
        *KEY,
        "segment_name",
        "action",
        "treated",
        "propensity",
        _allowed(closed),
        "starts_on",
        F.coalesce(F.col("told_converted") & ~is_outside, orders > 0).alias("converted"),
        F.coalesce(_told_in_time("told_revenue", is_outside), "bought", F.lit(0.0)).alias("revenue"),
        F.coalesce("revenue_before", F.lit(0.0)).alias("revenue_before"),
        F.coalesce("active_days", F.lit(0)).cast("int").alias("active_days"),
        "rating",
        F.coalesce("ratings", F.lit(0)).cast("int").alias("ratings"),
    )


def closed_windows(contacts: DataFrame, attribution_days: int, as_of: date) -> DataFrame:
    """The contacts of which the window has closed before `as_of`, with ends_at."""
    ends_at = F.timestamp_add("DAY", F.lit(attribution_days), "starts_at")
    return contacts.where(ends_at <= F.lit(as_of).cast("timestamp")).withColumn("ends_at", ends_at)


def purchases_of(events: DataFrame) -> DataFrame:
    """Purchase events as the order lines that `measure` looks at: for shops without orders."""
    return events.where("event_type = 'purchase'").select(
        "user_id",
        F.col("event_id").alias("order_id"),
        F.col("event_time").alias("order_time"),
        F.lit(1.0).alias("quantity"),
        F.col("price").alias("unit_price"),
        F.lit(0.0).alias("discount"),
        F.lit("paid").alias("status"),
    )


def days_with(user_days: DataFrame, purchases: DataFrame) -> DataFrame:
    """The days, which count orders alone, with those and the spend of `purchases` (as `purchases_of` makes them)."""
    sums = purchases.groupBy("user_id", F.to_date("order_time").alias("day")).agg(
        F.count_distinct("order_id").alias("__orders"), exact_sum(_net()).alias("__spend")
    )
    rows = user_days.join(sums, on=["user_id", "day"], how="left")
    return rows.withColumns({"orders": F.coalesce("__orders", "orders"), "spend": F.coalesce("__spend", "spend")}).drop(
        "__orders", "__spend"
    )


def _allowed(rows: DataFrame) -> Column:
    """Null where the rows do not tell, as those of campaigns of other tools."""
    nobody_knows = F.lit(None).cast("array<string>")
    return (F.col("allowed") if "allowed" in rows.columns else nobody_knows).alias("allowed")


def _is_told(name: str) -> Column:
    """Whether the column is told of nearly all contacts that were made, and of nearly all who are held out."""
    of_sides = (F.col("sent_at").isNotNull() & ~F.col("holdout"), F.col("holdout"))
    enough = [
        F.count_if(side & F.col(name).isNotNull()) >= F.greatest(F.lit(1.0), TOLD_OF * F.count_if(side))
        for side in of_sides
    ]
    return enough[0] & enough[1]


def _told_in_time(name: str, is_outside: Column) -> Column:
    """A told amount; nothing where it was told of a conversion before or after the window."""
    return F.when(F.col(name).isNotNull() & is_outside, F.lit(0.0)).otherwise(F.col(name))


def _bought(spans: DataFrame, orders: DataFrame, config: LiftConfig) -> DataFrame:
    """Orders with a paid line in the window, and what was paid."""
    paid = orders.where("status = 'paid' AND user_id IS NOT NULL").select(
        "user_id", "order_id", "order_time", _net().alias("net")
    )
    rows = _near(spans, paid, F.to_date("order_time"), 0, config.attribution_days).where(_is_inside("order_time"))
    return rows.groupBy(*KEY).agg(F.count_distinct("order_id").alias("orders"), exact_sum(F.col("net")).alias("bought"))


def _days(spans: DataFrame, user_days: DataFrame, config: LiftConfig) -> DataFrame:
    """Active days in the window, counted from the day of the contact, and what was paid in the days before it."""
    days = user_days.select("user_id", "day", "spend")
    since = F.datediff("day", "starts_on")
    rows = _near(spans, days, F.col("day"), config.before_days, config.attribution_days).withColumn("since", since)
    near = rows.where((F.col("since") >= -config.before_days) & (F.col("since") < config.attribution_days))
    before = F.when(F.col("since") < 0, F.coalesce("spend", F.lit(0.0)))
    return near.groupBy(*KEY).agg(
        F.count_if(F.col("since") >= 0).alias("active_days"), exact_sum(before).alias("revenue_before")
    )


def _rated(spans: DataFrame, ratings: DataFrame, config: LiftConfig) -> DataFrame:
    given = ratings.select("user_id", "rated_at", F.col("rating").alias("given"))
    rows = _near(spans, given, F.to_date("rated_at"), 0, config.attribution_days).where(_is_inside("rated_at"))
    return rows.groupBy(*KEY).agg(exact_sum(F.col("given")).alias("rating"), F.count("given").alias("ratings"))


def _net() -> Column:
    """What an order line cost."""
    return F.col("quantity") * F.coalesce("unit_price", F.lit(0.0)) - F.coalesce("discount", F.lit(0.0))


def _near(spans: DataFrame, rows: DataFrame, day: Column, before: int, after: int) -> DataFrame:
    """Each span with the rows of its user from `before` days ahead of it to `after` days into it, and some around.

    Joined by user and stretch of time, a stretch as long as these days: who is in many campaigns and does much every
    day gives a few rows per campaign, not the product of both.
    """
    days = before + after + 1
    first, last = (_stretch(F.date_add("starts_on", shift), days) for shift in (-before, after))
    placed = spans.withColumn("__stretch", F.explode(F.sequence(first, last)))
    both = placed.join(rows.withColumn("__stretch", _stretch(day, days)), on=["user_id", "__stretch"], how="inner")
    return both.drop("__stretch")


def _stretch(day: Column, days: int) -> Column:
    """The number of the stretch of so many days that a day lies in."""
    return F.floor(F.unix_date(day) / F.lit(days))


def _is_inside(time: str) -> Column:
    return (F.col(time) >= F.col("starts_at")) & (F.col(time) < F.col("ends_at"))
