"""Features from a user's items: variety, repeats, new products, price level, favourite category."""

from pyspark.sql import Column, DataFrame
from pyspark.sql import functions as F

from segspark.core.exact import SCALE, whole
from segspark.features.config import FeaturesConfig
from segspark.features.exact import count_if, ratio
from segspark.features.touches import NUMBERS

VARIETY = ("distinct_items", "distinct_categories", "category_entropy")
PURCHASES = ("repeat_item_share", "new_product_share", "price_level")


def measure_taste(touches: DataFrame, purchases: DataFrame, items: DataFrame, config: FeaturesConfig) -> DataFrame:
    """One row per user with any item before as_of: `VARIETY`, `PURCHASES` and favourite_category.

    `touches` are rows of `sum_touches`, `purchases` of `count_purchases`, both before as_of, `items` of `place_items`.

    repeat_item_share: of the items bought, those bought on more than one day. new_product_share: of the lines bought,
    those within new_product_days of the item's launch or first sale. price_level: unit price against the category's
    mean, weighted by spend, 1 = average. category_entropy: Shannon's, in nats, over lines bought, or over events where
    nothing was bought.
    """
    tastes = touches.join(_sum_purchases(purchases, items, config).hint("merge"), "user_id", "left")
    favourite = items.select(F.col("category").alias("favourite_category"), "category_no").distinct()
    users = _describe(tastes).join(F.broadcast(favourite), "category_no", "left")
    return users.select(
        "user_id", *(F.col(name).cast("double") for name in (*VARIETY, *PURCHASES)), "favourite_category"
    )


def _sum_purchases(purchases: DataFrame, items: DataFrame, config: FeaturesConfig) -> DataFrame:
    """One row per user who bought: repeats, new products, price level, and what they bought by category."""
    is_new = F.datediff("day", "launch_day") <= config.new_product_days
    level = ratio(F.col("spend"), F.col("units") * F.col("category_price"))
    pairs = (
        purchases.join(items, "item_id", "left")
        .groupBy("user_id", "item_id", "category_no")
        .agg(
            F.count(F.lit(1)).alias("days"),
            F.sum("order_lines").alias("lines"),
            F.sum(F.when(is_new, F.col("order_lines")).otherwise(F.lit(0))).alias("new_lines"),
            F.sum(whole(F.when(level.isNotNull(), F.col("spend")))).alias("priced_spend"),
            F.sum(whole(F.col("spend") * level)).alias("levelled_spend"),
        )
    )
    sums = ("lines", "new_lines", "priced_spend", "levelled_spend")
    by_category = pairs.groupBy("user_id", "category_no").agg(
        F.count(F.lit(1)).alias("bought_items"),
        count_if(F.col("days") > 1).alias("repeated_items"),
        *(F.sum(name).alias(name) for name in sums),
    )
    return by_category.groupBy("user_id").agg(
        *(F.sum(name).alias(name) for name in ("bought_items", "repeated_items", *sums)), *_spread()
    )


def _spread() -> list[Column]:
    """Over a user's named categories: lines bought, the sum of n ln n, and the heaviest, as `sum_touches` has them."""
    is_named, lines = F.col("category_no") > 0, F.col("lines")
    packed = lines * NUMBERS + (NUMBERS - F.col("category_no"))  # of numbers a maximum is hashed; of a struct, sorted
    return [
        F.sum(F.when(is_named, lines)).alias("named_lines"),
        F.sum(F.when(is_named, _n_log_n(lines))).alias("log_lines"),
        F.max(F.when(is_named, packed)).alias("best_lines"),
    ]


def _describe(users: DataFrame) -> DataFrame:
    """The features from sums; of who bought nothing in a named category, what they looked at says where they are."""
    has_bought = F.col("named_lines") > 0
    best = F.when(has_bought, F.col("best_lines")).otherwise(F.col("best_touches"))
    return users.select(
        "user_id",
        "distinct_items",
        "distinct_categories",
        F.when(has_bought, _entropy("lines")).otherwise(_entropy("touches")).alias("category_entropy"),
        ratio(F.col("repeated_items"), F.col("bought_items")).alias("repeat_item_share"),
        ratio(F.col("new_lines"), F.col("lines")).alias("new_product_share"),
        ratio(F.col("levelled_spend"), F.col("priced_spend")).alias("price_level"),
        (NUMBERS - best % NUMBERS).alias("category_no"),
    )


def _n_log_n(n: Column) -> Column:
    """n ln n in whole ten-thousandths, so that sums are exact in any order; 0 at 0."""
    return whole(F.when(n > 0, n * F.ln(n.cast("double"))).otherwise(F.lit(0.0)))


def _entropy(name: str) -> Column:
    """ln N - (sum of n ln n) / N, never below 0."""
    total = F.col(f"named_{name}")
    spread = F.try_divide(F.col(f"log_{name}") / F.lit(SCALE), total.cast("double"))
    return F.when(total > 0, F.greatest(F.ln(total.cast("double")) - spread, F.lit(0.0)))
