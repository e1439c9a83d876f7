"""The users: persona, taste, profile, and how much of everything each will do. The logs carry these numbers exactly."""

import operator
from functools import reduce

from pyspark.sql import Column, DataFrame, SparkSession
from pyspark.sql import functions as F

from segspark.shop.calendar import weekend_adjusted
from segspark.shop.config import ShopConfig
from segspark.shop.draws import bits, hashed, normal, turned, uniform
from segspark.shop.personas import CATEGORIES, LATENTS, OVERLAPS, PERSONAS, TYPICAL, Latent, centres

REGIONS = ("north", "south", "east", "west", "coast", "islands")
TASTE_GROUPS = CATEGORIES
EVENTS_PER_TASK = 2_000_000
PHASES = ("category", "rank", "night", "weekend", "discount", "rating", "search")


def people(spark: SparkSession, config: ShopConfig, partitions: int | None = None) -> DataFrame:
    """One row per account with its traits, and whole numbers of visits, orders, lines and so on for the period.

    `partitions` changes nothing but the number of tasks; by default some two million events go to each.
    """
    number = F.col("number")
    tasks = max(spark.sparkContext.defaultParallelism, config.users * config.events_per_user // EVENTS_PER_TASK)
    frame = spark.range(0, config.users, 1, partitions or tasks).select(F.col("id").alias("number"))
    frame = frame.select(
        number,
        F.format_string("u-%08d", number).alias("user_id"),
        _is_bot(config).alias("is_bot"),
        _persona(config).alias("persona_number"),
        bits(hashed(config.seed, "taste", number), 7, TASTE_GROUPS).alias("taste_group"),
        _lean(config).alias("lean"),
        (1 + bits(hashed(config.seed, "second", number), 7, len(PERSONAS) - 1)).alias("step_to_second"),
        *[uniform(config.seed, f"phase.{name}", number).alias(f"{name}_phase") for name in PHASES],
    )
    second = (F.col("persona_number") + F.col("step_to_second")) % len(PERSONAS)
    frame = frame.withColumn("second_number", second)
    frame = frame.select("*", *[_trait(latent, config).alias(latent.name) for latent in LATENTS])
    return _with_last_visit(_with_parts(_with_totals(frame, config)), config)


def truth(people_frame: DataFrame) -> DataFrame:
    """One row per account: what was planted. `latent_` columns are on the scale on which people vary evenly, and are
    taken from what the logs will show, not from what was intended before rounding."""
    personas = F.array(*map(F.lit, PERSONAS))[F.col("persona_number")]
    return people_frame.select(
        "user_id",
        F.when(F.col("is_bot"), "bot").otherwise(personas).alias("persona"),
        "taste_group",
        "is_bot",
        *[column.cast("double").alias(f"latent_{name}") for name, column in _shown().items()],
    )


def profiles(people_frame: DataFrame, config: ShopConfig) -> DataFrame:
    """One row per account in the shape of the users table; one in a hundred ages and incomes is unknown."""
    number = F.col("number")
    mixed = hashed(config.seed, "profile", number)
    signup_day = F.date_sub(F.lit(config.ends_on), F.col("tenure_days"))
    degrees = F.array(*map(F.lit, ("school", "college", "degree", "postgraduate")))
    degree = F.greatest(F.lit(0), F.least(F.lit(3), bits(mixed, 20, 3) + (F.col("income") > 45_000).cast("int")))
    return people_frame.select(
        "user_id",
        F.when(bits(mixed, 0, 100) != 0, F.col("age")).alias("age"),
        F.when(bits(mixed, 8, 100) < 48, "male").when(bits(mixed, 8, 100) < 98, "female").alias("gender"),
        F.when(bits(mixed, 4, 100) != 0, F.col("income")).alias("income"),
        F.element_at(degrees, degree + 1).alias("education"),
        F.col("region"),
        F.timestamp_add("SECOND", bits(mixed, 40, 86_400), signup_day.cast("timestamp")).alias("signup_time"),
        (bits(mixed, 16, 100) < 85).alias("consent"),
    )


def tiers_below(place: Column) -> Column:
    """The sum of the price tiers of a user's picks below `place`: each is one of the two tiers next to the level."""
    return F.floor(place * F.col("price_level")).cast("int")


def _is_bot(config: ShopConfig) -> Column:
    share = F.lit(config.bot_share)
    return F.floor((F.col("number") + 1) * share + 0.5) > F.floor(F.col("number") * share + 0.5)


def _persona(config: ShopConfig) -> Column:
    drawn = uniform(config.seed, "persona", F.col("number")) * sum(TYPICAL["share"])
    edges = [sum(TYPICAL["share"][: i + 1]) for i in range(len(PERSONAS) - 1)]
    return reduce(operator.add, [(drawn >= edge).cast("int") for edge in edges])


def _lean(config: ShopConfig) -> Column:
    overlap = OVERLAPS[config.preset]
    drawn = uniform(config.seed, "lean", F.col("number"))
    return F.pow(drawn, F.lit(overlap.lean_power)) * overlap.lean


def _trait(latent: Latent, config: ShopConfig) -> Column:
    typical = F.array(*map(F.lit, centres(latent)))
    own = typical[F.col("persona_number")]
    centre = own + F.col("lean") * (typical[F.col("second_number")] - own)
    deviation = OVERLAPS[config.preset].spread * latent.deviation
    drawn = centre + deviation * normal(config.seed, latent.name, F.col("number"))
    bounded = F.greatest(F.lit(latent.low), F.least(F.lit(latent.high), drawn))
    return F.exp(bounded) if latent.log else bounded


def _with_totals(frame: DataFrame, config: ShopConfig) -> DataFrame:
    """Whole numbers of visits and orders, and the profile in its units."""
    orders = F.greatest(F.lit(1), F.round(F.col("orders") * config.activity)).cast("int")
    most_recency = F.lit(min(100, config.days // 2))
    home = bits(hashed(config.seed, "region", F.col("number")), 3, len(REGIONS))
    frame = frame.withColumns(
        {
            "orders": F.when(F.col("is_bot"), 0).otherwise(orders),
            "visits": F.round(F.col("visits") * config.activity).cast("int"),
            "recency_days": F.least(most_recency, F.round("recency_days")).cast("int"),
            "tenure_days": F.round("tenure_days").cast("int"),
            "age": F.round("age").cast("int"),
            "income": F.round("income", -2),
            "region": F.array(*map(F.lit, REGIONS))[home],
        }
    )
    days_of_a_bot = 1 + bits(hashed(config.seed, "bot", F.col("number")), 0, 2)
    visits = F.when(F.col("is_bot"), days_of_a_bot).otherwise(F.greatest("orders", "visits"))
    lines = F.greatest(F.col("orders"), F.round(F.col("orders") * F.col("items_per_order")).cast("int"))
    return frame.withColumn("visits", visits).withColumn("lines", lines)


def _with_parts(frame: DataFrame) -> DataFrame:
    """Whole numbers of what happens in the visits and to the lines."""

    def of(total: str, share: str) -> Column:
        return F.round(F.col(total) * F.col(share)).cast("int")

    browsed = F.greatest(F.col("visits"), of("visits", "views_per_visit"))
    favourites = F.lit(1) + F.least(F.lit(2), F.floor(of("lines", "repeat_share") / 4)).cast("int")
    frame = frame.withColumns(
        {
            "views": F.when(F.col("is_bot"), 2_000 * F.col("visits")).otherwise(browsed),
            "price_level": F.round("price_level", 3),
            "discounts": of("lines", "discount_share"),
            "refunds": of("lines", "refund_share"),
            "repeats": of("lines", "repeat_share"),
            "favourites": F.when(of("lines", "repeat_share") > 0, favourites).otherwise(0),
            "nights": of("visits", "night_share"),
            "weekends": of("visits", "weekend_share"),
            "rated": of("lines", "rating_share"),
        }
    )
    abandoned = F.round((F.col("visits") - F.col("orders")) * F.col("abandon_share")).cast("int")
    favourite_lines = F.least(F.col("lines"), F.col("repeats") + F.col("favourites"))
    launched = F.least(F.col("lines") - F.col("favourite_lines"), of("lines", "new_share"))
    frame = frame.withColumn("abandoned", F.when(F.col("is_bot"), 0).otherwise(abandoned))
    return frame.withColumn("favourite_lines", favourite_lines).withColumn("launched", launched)


def _with_last_visit(frame: DataFrame, config: ShopConfig) -> DataFrame:
    """The first and last day of visiting, in days from the first day of the logs; the last visit always orders."""
    last = F.lit(config.days - 1) - F.col("recency_days")
    place = turned(F.col("visits") - 1, F.col("weekend_phase"), F.col("visits"))
    first = F.greatest(F.lit(0), F.lit(config.days) - F.col("tenure_days"))
    frame = frame.withColumn("last_day", last).withColumn("first_day", F.least(first, last))
    return frame.withColumn("recency_days", F.lit(config.days - 1) - weekend_adjusted(last, place, config))


def _shown() -> dict[str, Column]:
    """Each latent as the logs show it."""
    lines, visits, favourites = F.greatest("lines", F.lit(1)), F.col("visits"), F.greatest("favourites", F.lit(1))
    favourite_tiers = F.col("favourite_lines") * tiers_below(F.col("favourites")) / favourites
    return {
        "log_visits": F.log(visits),
        "log_orders": F.log(F.greatest("orders", F.lit(1))),
        "log_views_per_visit": F.log(F.col("views") / visits),
        "log_items_per_order": F.log(lines / F.greatest("orders", F.lit(1))),
        "price_level": (favourite_tiers + tiers_below(lines - F.col("favourite_lines"))) / lines,
        "discount_share": F.col("discounts") / lines,
        "new_share": F.col("launched") / lines,
        "repeat_share": F.col("repeats") / lines,
        "refund_share": F.col("refunds") / lines,
        "log_recency_days": F.log1p("recency_days"),
        "log_tenure_days": F.log("tenure_days"),
        "log_age": F.log("age"),
        "log_income": F.log("income"),
        "night_share": F.col("nights") / visits,
        "weekend_share": F.col("weekends") / visits,
        "abandon_share": F.col("abandoned") / F.greatest(visits - F.col("orders"), F.lit(1)),
        "rating_share": F.col("rated") / lines,
    }
