"""Who picks which item. A taste group likes two categories, and a style within each; no persona has a taste."""

from pyspark.sql import Column, DataFrame
from pyspark.sql import functions as F

from segspark.shop.config import LAUNCH_EVERY, ShopConfig
from segspark.shop.draws import GOLDEN, PLASTIC, allotted, before, bits, hashed, spread, zipf_rank
from segspark.shop.people import tiers_below
from segspark.shop.personas import CATEGORIES, TIERS

FIRST_CATEGORY, SECOND_CATEGORY = 0.45, 0.80  # cumulative shares of picks from the two liked categories
OWN_STYLE = 0.85  # share of picks from the liked style


def with_item(frame: DataFrame, config: ShopConfig) -> DataFrame:
    """Adds `item`, the number of the item of a user's `pick` on `day_number`; reads the user's columns of `people`.

    Picks below `lines` are the user's order lines, the others are looks. Favourite lines come back to the same few
    items; launched lines take the newest or second newest item of their shelf. One step a column, as each is used
    more than once: Spark then computes it once.
    """
    frame = _with_key(frame)
    frame = frame.withColumn("pick_bits", hashed(config.seed, "pick", F.col("number"), F.col("pick_key")))
    tier = tiers_below(F.col("pick_place") + 1) - tiers_below(F.col("pick_place"))
    tier = F.when(F.col("is_bot"), bits(F.col("pick_bits"), 0, TIERS)).otherwise(tier)
    frame = frame.withColumns({"pick_tier": tier, "pick_category": _category()})
    slot = F.when(F.col("is_launched"), _launched_slot(config)).otherwise(_old_slot(config))
    shelf = F.col("pick_category") * TIERS + F.least(F.lit(TIERS - 1), F.col("pick_tier"))
    return frame.withColumn("item", (shelf * config.slots + slot).cast("int"))


def _with_key(frame: DataFrame) -> DataFrame:
    """What the pick's draws hang on: its own number, or that of the favourite it comes back to."""
    pick, lines = F.col("pick"), F.greatest("lines", F.lit(1))
    frame = frame.withColumn("is_line", pick < F.col("lines"))
    is_favourite = F.col("is_line") & (allotted(pick, F.col("favourite_lines"), lines) > 0)
    favourites_before = before(pick, F.col("favourite_lines"), lines)
    frame = frame.withColumns({"is_favourite": is_favourite, "favourites_before": favourites_before})
    favourite = F.col("favourites_before") % F.greatest("favourites", F.lit(1))
    other = F.when(F.col("is_line"), pick - F.col("favourites_before")).otherwise(pick)
    frame = frame.withColumn("pick_place", F.when(F.col("is_favourite"), favourite).otherwise(other))
    key = F.when(F.col("is_favourite"), -1 - F.col("pick_place")).otherwise(pick)
    places = F.when(F.col("is_line"), lines - F.col("favourite_lines")).otherwise(lines)
    is_launched = ~F.col("is_favourite") & (allotted(F.col("pick_place"), F.col("launched"), places) > 0)
    return frame.withColumns({"pick_key": key.cast("bigint"), "is_launched": is_launched})


def _category() -> Column:
    point = spread(F.col("category_phase"), F.col("pick_key"), GOLDEN)
    anywhere = bits(F.col("pick_bits"), 4, CATEGORIES)
    liked = F.when(point < FIRST_CATEGORY, F.col("taste_group"))
    liked = liked.when(point < SECOND_CATEGORY, (F.col("taste_group") + 3) % CATEGORIES)
    return F.when(F.col("is_bot"), anywhere).otherwise(F.coalesce(liked, anywhere))


def _old_slot(config: ShopConfig) -> Column:
    per_style = (config.slots - config.launches) // 2
    rank = zipf_rank(spread(F.col("rank_phase"), F.col("pick_key"), PLASTIC), per_style)
    is_own = bits(F.col("pick_bits"), 24, 100) < int(100 * OWN_STYLE)
    return 2 * rank + F.when(is_own, F.col("taste_group") % 2).otherwise(1 - F.col("taste_group") % 2)


def _launched_slot(config: ShopConfig) -> Column:
    """The newest, or, in the first half of its time, as often the one before: at most 45 days old."""
    day = F.col("day_number")
    newest = F.floor(day / LAUNCH_EVERY).cast("int") + 1
    is_second = (bits(F.col("pick_bits"), 24, 2) == 0) & (day % LAUNCH_EVERY < LAUNCH_EVERY // 2)
    launch = F.greatest(F.lit(0), newest - is_second.cast("int"))
    return config.slots - config.launches + F.least(F.lit(config.launches - 1), launch)
