"""Which category an item is of."""

from datetime import date

from pyspark.sql import DataFrame, Window
from pyspark.sql import functions as F


def item_categories(days: DataFrame, items: DataFrame, as_of: date) -> DataFrame:
    """One row per item that has a category: item_id, category. The item list's, else the newest of the log.

    `days` has the columns of user_item_days, `items` those of items; an item that is launched at or after `as_of` is
    taken from the log only.
    """
    newest = F.max_by("category", F.struct("day", "category")).alias("logged")
    has_one = F.col("category").isNotNull() & F.col("item_id").isNotNull() & (F.col("day") < F.lit(as_of))
    logged = days.where(has_one).groupBy("item_id").agg(newest)
    is_known = F.col("launch_time").isNull() | (F.to_date("launch_time") < F.lit(as_of))
    listed = items.where(is_known).select("item_id", F.col("category").alias("listed"))
    category = F.coalesce("listed", "logged").alias("category")
    both = logged.join(listed, on="item_id", how="full")
    return both.select("item_id", category).where(F.col("category").isNotNull())


def number_categories(categories: DataFrame, item_index: DataFrame) -> DataFrame:
    """item_no and category_no, from 0 in the order of the categories' names, of items that have a number."""
    numbered = categories.join(item_index, on="item_id", how="inner")
    by_name = Window.partitionBy(F.lit(0)).orderBy("category")  # one row per category
    numbers = numbered.select("category").distinct()
    numbers = numbers.withColumn("category_no", (F.row_number().over(by_name) - 1).cast("int"))
    return numbered.join(numbers, on="category", how="inner").select("item_no", "category_no")
