"""Neighbours by number as rows of the tables that people read."""

from pyspark.sql import DataFrame
from pyspark.sql import functions as F


def named_items(near: DataFrame, items: DataFrame, method: str) -> DataFrame:
    """item_similarity from NEIGHBOURS of similarity."""
    other = items.select(F.col("item_no").alias("neighbour_no"), F.col("item_id").alias("neighbour_id"))
    named = near.join(items.withColumnRenamed("item_no", "row_no"), on="row_no", how="inner")
    return named.join(other, on="neighbour_no", how="inner").withColumn("method", F.lit(method))


def named_users(near: DataFrame, users: DataFrame, method: str) -> DataFrame:
    """user_similarity from NEIGHBOURS of similarity: one row per user who has a neighbour."""
    other = users.select(F.col("user_no").alias("neighbour_no"), F.col("user_id").alias("neighbour_id"))
    named = near.join(other, on="neighbour_no", how="inner").groupBy("row_no")
    ranked = F.array_sort(F.collect_list(F.struct("rank", "neighbour_id", "similarity")))
    best_first = F.transform(ranked, lambda each: F.struct(each["neighbour_id"], each["similarity"]))
    whole = named.agg(best_first.alias("neighbours")).withColumnRenamed("row_no", "user_no")
    return whole.join(users, on="user_no", how="inner").withColumn("method", F.lit(method))


def numbered_items(rows: DataFrame, items: DataFrame) -> DataFrame:
    """NEIGHBOURS of similarity from rows of item_similarity by one method: what named_items was given."""
    own = items.select(F.col("item_no").alias("row_no"), "item_id")
    other = items.select(F.col("item_no").alias("neighbour_no"), F.col("item_id").alias("neighbour_id"))
    numbered = rows.join(own, on="item_id", how="inner").join(other, on="neighbour_id", how="inner")
    return numbered.select("row_no", "rank", "neighbour_no", "similarity")


def numbered_users(rows: DataFrame, users: DataFrame) -> DataFrame:
    """NEIGHBOURS of similarity from rows of user_similarity by one method: what named_users was given."""
    each = rows.select("user_id", F.posexplode("neighbours").alias("place", "one"))
    each = each.select("user_id", (F.col("place") + 1).alias("rank"), "one.neighbour_id", "one.similarity")
    own = users.select(F.col("user_no").alias("row_no"), "user_id")
    other = users.select(F.col("user_no").alias("neighbour_no"), F.col("user_id").alias("neighbour_id"))
    numbered = each.join(own, on="user_id", how="inner").join(other, on="neighbour_id", how="inner")
    return numbered.select("row_no", "rank", "neighbour_no", "similarity")
