"""Which items a contact shows, and never more of one than there is stock for."""

from collections.abc import Sequence

from pyspark.sql import Column, DataFrame, Window
from pyspark.sql import functions as F

from segspark.campaigns.history import Campaign
from segspark.campaigns.planning.ranking import with_better

NEW_DAYS = 60  # since the launch
KINDS = ("recommended", "new", "cheap")
FALLBACK = 20  # items of a kind for users whose own list has too few of them
ITEMS = "array<struct<item_id:string,stock:bigint>>"


def describe_items(items: DataFrame, sold: DataFrame, as_of: str) -> DataFrame:
    """item_id, stock, units and a boolean per kind: one row per item that is listed or sold.

    `sold` has item_id, category and units of late. New: launched in the last NEW_DAYS days. Cheap: at most the median
    price of its category. An item whose stock is not told is never out of stock.
    """
    is_on_sale = F.col("launch_time").isNull() | (F.to_date("launch_time") < F.lit(as_of).cast("date"))
    listed = items.where(is_on_sale).select(
        "item_id", F.col("category").alias("listed"), "price", "stock", "launch_time"
    )
    known = listed.join(sold, on="item_id", how="full").withColumn(
        "__category", F.coalesce("listed", "category", F.lit(""))
    )
    medians = known.groupBy("__category").agg(F.percentile("price", 0.5).alias("__median"))
    priced = known.join(F.broadcast(medians), on="__category", how="left")
    age = F.datediff(F.lit(as_of).cast("date"), F.to_date("launch_time"))
    return priced.select(
        "item_id",
        "stock",
        F.coalesce("units", F.lit(0.0)).alias("units"),
        F.lit(True).alias("recommended"),
        F.coalesce((age >= 0) & (age <= NEW_DAYS), F.lit(False)).alias("new"),
        F.coalesce(F.col("price") <= F.col("__median"), F.lit(False)).alias("cheap"),
    ).where(F.col("stock").isNull() | (F.col("stock") > 0))


def still_selling(plans: DataFrame, campaign: Campaign, days: int) -> DataFrame:
    """The contacts of `plans` that may yet sell what they showed: made in the `days` before, or by others to come.

    Those of the campaign itself from its first day on are planned anew.
    """
    first_day = F.lit(campaign.first_day)
    is_replaced = (F.col("campaign_id") == campaign.campaign_id) & (F.col("send_on") >= first_day)
    return plans.where((F.col("send_on") >= F.date_sub(first_day, days)) & ~is_replaced & ~F.col("holdout"))


def without_promised(described: DataFrame, plans: DataFrame, take: float) -> DataFrame:
    """The items with what contacts that were planned before (items) may sell taken off; without those sold out."""
    shown = plans.where("items IS NOT NULL").select(F.explode("items").alias("item_id"))
    promised = shown.groupBy("item_id").agg((F.count(F.lit(1)) * take).alias("__promised"))
    left = F.floor(F.col("stock") - F.coalesce("__promised", F.lit(0.0))).cast("bigint")
    rows = described.join(promised, on="item_id", how="left").withColumn("stock", left).drop("__promised")
    return rows.where(F.col("stock").isNull() | (F.col("stock") > 0))


def best_sellers(described: DataFrame) -> DataFrame:
    """kind, popular: the FALLBACK items (item_id, stock) of each kind that sold best, the best first."""
    kinds = F.array(*(F.when(F.col(kind), F.lit(kind)) for kind in KINDS))
    rows = described.select("item_id", "stock", "units", F.explode(F.array_compact(kinds)).alias("kind"))
    rank = F.row_number().over(Window.partitionBy("kind").orderBy(F.desc("units"), "item_id"))
    ranked = rows.withColumn("rank", rank).where(F.col("rank") <= FALLBACK)  # so Spark drops the others before it sorts
    return ranked.groupBy("kind").agg(_in_order().alias("popular"))


def candidates(contacts: DataFrame, lists: DataFrame, described: DataFrame, most: int) -> DataFrame:
    """What each contact may show, the user's own list first: the columns of `contacts`, `__no`, item_id and stock.

    `contacts` has user_id and kind, and what else the choice goes by; `lists` user_id, item_id and rank of
    recommendations. There are `most` rows per contact at the most, numbered from 0.
    """
    entries = [each for kind in KINDS for each in (F.lit(kind), F.col(kind))]
    kind_fits = F.create_map(*entries)[F.col("kind")]
    wanted = contacts.select("user_id", "kind")
    fitting = lists.join(wanted, on="user_id", how="inner").join(described, on="item_id", how="inner").where(kind_fits)
    own = fitting.groupBy("user_id").agg(_in_order().alias("own"))
    both = contacts.join(own, on="user_id", how="left").join(
        F.broadcast(best_sellers(described)), on="kind", how="left"
    )
    items = F.array_union(*(F.coalesce(name, F.array().cast(ITEMS)) for name in ("own", "popular")))
    shown = both.select(*contacts.columns, F.posexplode(F.slice(items, 1, most)).alias("__no", "item"))
    return shown.select(*contacts.columns, "__no", "item.*")


def within_stock(offered: DataFrame, most: int, take: float, steps: Sequence[float] = ()) -> DataFrame:
    """user_id, items: up to `most` items per contact, best first; no row for who is left with none.

    An item is shown in at most stock / take contacts, those with the highest surplus: of `take` of the contacts that
    show it one unit may be bought. `offered` are those of `candidates` with surplus, tie and holdout; who is held out
    takes nothing. `steps` are those of `ranking`.
    """
    room = F.floor(F.col("stock") / F.lit(take))
    has_stock = F.col("stock").isNull() | (F.col("__better") < room)
    kept = with_better(offered, "item_id", steps).where(has_stock)
    return kept.groupBy("user_id").agg(_first_items(most).alias("items"))


def _in_order() -> Column:
    """The items of a group in the order of their ranks, as structs of item_id and stock."""
    ordered = F.sort_array(F.collect_list(F.struct("rank", "item_id", "stock")))
    return F.transform(ordered, lambda each: F.struct(each["item_id"].alias("item_id"), each["stock"].alias("stock")))


def _first_items(most: int) -> Column:
    ordered = F.sort_array(F.collect_list(F.struct("__no", "item_id")))
    return F.transform(F.slice(ordered, 1, most), lambda each: each["item_id"])
