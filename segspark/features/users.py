"""One row per user at as_of, from all that is known of them before."""

from datetime import date

from pyspark.sql import DataFrame
from pyspark.sql import functions as F

from segspark.features.activity import activity_columns, add_up_days, measure_gaps
from segspark.features.config import FeaturesConfig
from segspark.features.sources import Sources
from segspark.features.taste import PURCHASES, VARIETY


def describe_users(
    user_days: DataFrame, taste: DataFrame, users: DataFrame, as_of: date, config: FeaturesConfig, sources: Sources
) -> DataFrame:
    """One row per user seen before as_of or signed up before it, as the table `user_features` has it.

    `taste` has the rows of `measure_taste`. Whoever signed up at or after as_of is not known from `users`. tenure_days
    runs from the signing up or, where that is unknown or later, from the first day seen.
    """
    activity = add_up_days(user_days, as_of, config).withColumn("was_seen", F.lit(True))
    # All parts have about as many rows and lie by user already; to send one of them to every task gains nothing.
    rows = (
        activity.join(measure_gaps(user_days, as_of).hint("merge"), "user_id", "left")
        .join(taste.hint("merge"), "user_id", "left")
        .join(_profiles(users, as_of).hint("merge"), "user_id", "full")
        .where(F.col("was_seen") | F.col("signup_day").isNotNull())
    )
    since = F.least("signup_day", "first_day")
    return rows.select(
        "user_id",
        F.lit(as_of).alias("as_of"),
        F.coalesce("is_bot", F.lit(False)).alias("is_bot"),
        "gender",
        "education",
        "region",
        "favourite_category",
        *(column.alias(name) for name, column in activity_columns(as_of, config, sources).items()),
        F.datediff(F.lit(as_of), since).cast("double").alias("tenure_days"),
        F.coalesce("distinct_items", F.lit(0.0)).alias("distinct_items"),
        *(F.col(name) for name in VARIETY[1:]),
        *(F.col(name) for name in PURCHASES),
        F.col("age").cast("double").alias("age"),
        F.col("income").cast("double").alias("income"),
    )


def _profiles(users: DataFrame, as_of: date) -> DataFrame:
    signup_day = F.to_date("signup_time")
    is_known = signup_day.isNull() | (signup_day < F.lit(as_of))
    return users.where(is_known).select(
        "user_id", "age", "gender", "income", "education", "region", signup_day.alias("signup_day")
    )
