"""Features from a user's items: variety, repeats, new products, price level, favourite category."""

from datetime import date

from pyspark.sql import Column, DataFrame
from pyspark.sql import functions as F

from segspark.features.config import FeaturesConfig
from segspark.features.exact import SCALE, count_if, ratio, whole

NUMBERS = 1 << 20  # categories that fit beside a weight in one bigint
VARIETY = ("distinct_items", "distinct_categories", "category_entropy")
PURCHASES = ("repeat_item_share", "new_product_share", "price_level")


def measure_taste(
    user_item_days: DataFrame, described: DataFrame, categories: DataFrame, as_of: date, config: FeaturesConfig
) -> DataFrame:
    """One row per user with any item before as_of: `VARIETY`, `PURCHASES` and favourite_category.

    repeat_item_share: of the items bought, those bought on more than one day. new_product_share: of the lines bought,
    those within new_product_days of the item's launch or first sale. price_level: unit price against the category's
    mean, weighted by spend, 1 = average. category_entropy: Shannon's, in nats, over lines bought, or over events where
    nothing was bought.
    """
    numbered = F.broadcast(categories.withColumnRenamed("category", "name"))
    items = described.join(numbered, F.expr("category <=> name"), "left").select(
        "item_id", "launch_day", "category_no", "category_price"
    )
    rows = user_item_days.where(F.col("day") < F.lit(as_of)).drop("category").join(items, "item_id", "left")
    pairs = _sum_pairs(rows.repartition("user_id"), config)
    favourite = categories.select(F.col("category").alias("favourite_category"), "category_no")
    users = _sum_users(_sum_categories(pairs)).join(F.broadcast(favourite), "category_no", "left")
    return users.select(
        "user_id", *(F.col(name).cast("double") for name in (*VARIETY, *PURCHASES)), "favourite_category"
    )


def _sum_pairs(rows: DataFrame, config: FeaturesConfig) -> DataFrame:
    """One row per user and item."""
    is_bought = F.col("order_lines") > 0
    is_new = F.datediff("day", "launch_day") <= config.new_product_days
    level = ratio(F.col("spend"), F.col("units") * F.col("category_price"))
    return rows.groupBy("user_id", "item_id").agg(
        F.max("category_no").alias("category_no"),
        count_if(is_bought).alias("days_bought"),
        F.sum("order_lines").alias("lines"),
        F.sum(F.when(is_new, F.col("order_lines")).otherwise(F.lit(0))).alias("new_lines"),
        F.sum(F.col("views") + F.col("clicks") + F.col("carts") + F.col("wishlists") + F.col("purchases")).alias(
            "touches"
        ),
        F.sum(whole(F.when(level.isNotNull(), F.col("spend")))).alias("priced_spend"),
        F.sum(whole(F.col("spend") * level)).alias("levelled_spend"),
    )


def _sum_categories(pairs: DataFrame) -> DataFrame:
    """One row per user and category."""
    sums = ("lines", "new_lines", "touches", "priced_spend", "levelled_spend")
    return pairs.groupBy("user_id", "category_no").agg(
        F.count(F.lit(1)).alias("items"),
        count_if(F.col("days_bought") > 0).alias("bought_items"),
        count_if(F.col("days_bought") > 1).alias("repeated_items"),
        *(F.sum(name).alias(name) for name in sums),
    )


def _sum_users(by_category: DataFrame) -> DataFrame:
    is_named = F.col("category_no") > 0
    sums = (
        "items",
        "bought_items",
        "repeated_items",
        "lines",
        "new_lines",
        "touches",
        "priced_spend",
        "levelled_spend",
    )
    weights = ("lines", "touches")
    users = by_category.groupBy("user_id").agg(
        *(F.sum(name).alias(name) for name in sums),
        F.nullif(count_if(is_named), F.lit(0)).alias("distinct_categories"),
        *(F.sum(F.when(is_named, F.col(name))).alias(f"named_{name}") for name in weights),
        *(F.sum(F.when(is_named, _n_log_n(name))).alias(f"log_{name}") for name in weights),
        *(F.max(F.when(is_named, _pack(name))).alias(f"best_{name}") for name in weights),
    )
    has_bought = F.col("named_lines") > 0
    best = F.when(has_bought, F.col("best_lines")).otherwise(F.col("best_touches"))
    return users.select(
        "user_id",
        F.col("items").alias("distinct_items"),
        "distinct_categories",
        F.when(has_bought, _entropy("lines")).otherwise(_entropy("touches")).alias("category_entropy"),
        ratio(F.col("repeated_items"), F.col("bought_items")).alias("repeat_item_share"),
        ratio(F.col("new_lines"), F.col("lines")).alias("new_product_share"),
        ratio(F.col("levelled_spend"), F.col("priced_spend")).alias("price_level"),
        (NUMBERS - best % NUMBERS).alias("category_no"),
    )


def _pack(weight: str) -> Column:
    """Weight and number of a category as one bigint: the greatest is the heaviest, and of equals the first by name.

    A maximum of numbers is hashed by Spark, that of text or of a struct makes it sort all rows.
    """
    return F.col(weight) * NUMBERS + (NUMBERS - F.col("category_no"))


def _n_log_n(name: str) -> Column:
    """n ln n in whole ten-thousandths, so that sums are exact in any order; 0 at 0."""
    n = F.col(name)
    return whole(F.when(n > 0, n * F.ln(n.cast("double"))).otherwise(F.lit(0.0)))


def _entropy(name: str) -> Column:
    """ln N - (sum of n ln n) / N, never below 0."""
    total = F.col(f"named_{name}")
    spread = F.try_divide(F.col(f"log_{name}") / F.lit(SCALE), total.cast("double"))
    return F.when(total > 0, F.greatest(F.ln(total.cast("double")) - spread, F.lit(0.0)))
