"""Campaigns of other tools: everybody who was there, what they did, and what they had done before."""

from pyspark.sql import Column, DataFrame
from pyspark.sql import functions as F

from segspark.core.exact import exact_sum

WINDOWS = (28, 91)  # days before the campaign
NEVER = 365.0  # days since the last order, of who never ordered or longer ago
COVARIATES = (
    *(f"{name}_{days}d" for days in WINDOWS for name in ("spend", "orders", "active_days", "contacts")),
    "recency_days",
)


def everyone_in(campaign_id: str, outcomes: DataFrame, people: DataFrame) -> DataFrame:
    """Rows as `planned_contacts` gives: the contacted, and everybody else (user_id in `people`) as not treated.

    The others are looked at from the campaign's median contact on. Conversions are taken from orders on both sides,
    since a sender tells only of its own contacts.
    """
    sent = outcomes.where((F.col("campaign_id") == campaign_id) & F.col("treated")).select("user_id", "sent_at")
    median = sent.agg(F.percentile(F.unix_timestamp("sent_at"), 0.5).cast("bigint").alias("__median"))
    rows = people.select("user_id").join(sent, on="user_id", how="left").crossJoin(F.broadcast(median))
    nothing = F.lit(None)
    return rows.select(
        F.lit(campaign_id).alias("campaign_id"),
        "user_id",
        nothing.cast("string").alias("segment_name"),
        F.lit("all").alias("action"),
        F.col("sent_at").isNotNull().alias("treated"),
        nothing.cast("double").alias("propensity"),
        F.coalesce("sent_at", F.timestamp_seconds("__median")).alias("starts_at"),
        F.col("sent_at").isNotNull().alias("delivered"),
        nothing.cast("boolean").alias("told_converted"),
        nothing.cast("double").alias("told_revenue"),
        nothing.cast("timestamp").alias("converted_at"),
    )


def known_since(user_days: DataFrame, users: DataFrame) -> DataFrame:
    """user_id, known_since: the first day on which each user did anything, or signed up.

    `user_days` has user_id and day of all that is known, `users` user_id and signup_time.
    """
    begun = user_days.groupBy("user_id").agg(F.min("day").alias("__begun"))
    joined = users.groupBy("user_id").agg(F.to_date(F.min("signup_time")).alias("__joined"))
    rows = begun.join(joined, on="user_id", how="full")
    return rows.select("user_id", F.least("__begun", "__joined").alias("known_since"))  # of one alone, that one


def with_known(responses: DataFrame, since: DataFrame) -> DataFrame:
    """The responses with `is_known`: whether the user was known (`known_since`) before their own first day.

    Of who comes later, nobody could choose whether to contact them: without a past they would be compared by what
    brought them.
    """
    rows = responses.join(since, on="user_id", how="left")
    is_known = F.coalesce(F.col("known_since") < F.col("starts_on"), F.lit(False))
    return rows.withColumn("is_known", is_known).drop("known_since")


def newcomers() -> dict[str, Column]:
    """How many of rows as `with_known` gives them nobody knew before: `contacted` and `others`."""
    return {
        "contacted": F.count_if(F.col("treated") & ~F.col("is_known")),
        "others": F.count_if(~F.col("treated") & ~F.col("is_known")),
    }


def with_covariates(responses: DataFrame, user_days: DataFrame, outcomes: DataFrame) -> DataFrame:
    """The responses with COVARIATES: what each user did in the days before their own first day."""
    spans = responses.select("user_id", "starts_on")
    days = user_days.select("user_id", "day", "orders", "spend").join(spans, on="user_id", how="inner")
    since = F.datediff("starts_on", "day")
    before = days.withColumn("__since", since).where(F.col("__since") > 0)
    did = before.groupBy("user_id").agg(*_windows(), _recency())
    sent = outcomes.where("treated").select("user_id", F.to_date("sent_at").alias("day")).join(spans, on="user_id")
    earlier = sent.withColumn("__since", since).where(F.col("__since") > 0)
    contacts = [F.count_if(_within(days)).cast("double").alias(f"contacts_{days}d") for days in WINDOWS]
    told = earlier.groupBy("user_id").agg(*contacts)
    rows = responses.join(did, on="user_id", how="left").join(told, on="user_id", how="left")
    plain = {name: F.coalesce(name, F.lit(NEVER if name == "recency_days" else 0.0)) for name in COVARIATES}
    return rows.withColumns(plain)


def _windows() -> list[Column]:
    columns = []
    for days in WINDOWS:
        inside = _within(days)
        columns.append(exact_sum(F.when(inside, F.coalesce("spend", F.lit(0.0)))).alias(f"spend_{days}d"))
        columns.append(F.sum(F.when(inside, F.col("orders"))).cast("double").alias(f"orders_{days}d"))
        columns.append(F.count_if(inside).cast("double").alias(f"active_days_{days}d"))
    return columns


def _recency() -> Column:
    last = F.min(F.when(F.col("orders") > 0, F.col("__since")))
    return F.least(last.cast("double"), F.lit(NEVER)).alias("recency_days")


def _within(days: int) -> Column:
    return F.col("__since") <= days
