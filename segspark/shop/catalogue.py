"""The items. An item's number tells its category, price tier and place on the shelf.

Items of old stand first on each shelf, in two styles (even and odd places); then come the launches of the period in
their order.
"""

from pyspark.sql import Column, DataFrame, SparkSession
from pyspark.sql import functions as F

from segspark.shop.calendar import instant
from segspark.shop.config import LAUNCH_EVERY, ShopConfig
from segspark.shop.draws import bits, hashed, uniform, zipf_rank
from segspark.shop.personas import CATEGORIES, CATEGORY_NAMES, TIERS

TIER_PRICES = (6.0, 9.0, 13.5, 20.0, 30.0)
CATEGORY_FACTORS = tuple(0.85 * 1.035**i for i in range(CATEGORIES))
OLD_DAYS = (90, 1_200)  # how long before the first day the items of old were launched
BRANDS = 40


def items(spark: SparkSession, config: ShopConfig) -> DataFrame:
    """One row per item in the shape of the items table."""
    item = F.col("id")
    mixed = hashed(config.seed, "item", item)
    description = F.format_string("%s, no. %d", category_of(item, config), item)
    frame = spark.range(config.items)
    return frame.select(
        item_id(item).alias("item_id"),
        category_of(item, config).alias("category"),
        F.format_string("brand-%02d", bits(mixed, 0, BRANDS)).alias("brand"),
        price_of(item, config).alias("price"),
        instant(launch_day(item, config), F.lit(0), config).alias("launch_time"),
        bits(mixed, 20, 400).cast("bigint").alias("stock"),
        description.alias("description"),
    )


def item_id(item: Column) -> Column:
    """The item's name in the shop; null where there is no item."""
    return F.when(item.isNotNull(), F.format_string("i-%06d", item))


def category_of(item: Column, config: ShopConfig) -> Column:
    """The shelf's category by name."""
    return F.get(F.array(*map(F.lit, CATEGORY_NAMES)), F.floor(item / (TIERS * config.slots)).cast("int"))


def price_of(item: Column, config: ShopConfig) -> Column:
    """Within a category every price of a tier is above every price of the tier below."""
    shelf = F.floor(item / config.slots).cast("int")
    tier = F.get(F.array(*map(F.lit, TIER_PRICES)), shelf % TIERS)
    category = F.get(F.array(*map(F.lit, CATEGORY_FACTORS)), F.floor(shelf / TIERS).cast("int"))
    return F.round(tier * category * (0.9 + 0.2 * uniform(config.seed, "price", item)), 2)


def launch_day(item: Column, config: ShopConfig) -> Column:
    """Days from the first day of the logs, negative before it."""
    least, most = OLD_DAYS
    old = -(least + bits(hashed(config.seed, "launch", item), 0, most - least))
    launch = item % config.slots - (config.slots - config.launches)
    return F.when(launch < 0, old).otherwise((launch - 1) * LAUNCH_EVERY).cast("int")


def popular(point: Column, mixed: Column, config: ShopConfig) -> Column:
    """An item of old for somebody unknown: any shelf, popular places first."""
    slot = zipf_rank(point, 2 * ((config.slots - config.launches) // 2))
    return bits(mixed, 0, CATEGORIES * TIERS) * config.slots + slot
