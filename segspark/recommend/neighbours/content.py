"""What an item is, as a sparse row of features: category, brand, price band, words, a given vector."""

from __future__ import annotations

from functools import reduce
from typing import TYPE_CHECKING

from pyspark.sql import Column, DataFrame
from pyspark.sql import functions as F

from segspark.recommend.numbering import number_ids

if TYPE_CHECKING:
    from segspark.recommend.config import ContentWeights

BANDS_PER_DOUBLING = 2  # price bands between a price and twice as much
WORD = r"[\p{L}\p{N}]+"  # letters and digits of any script
LIKE_NOTHING = 1e-300  # a vector whose squares sum to less is none


def content_triples(items: DataFrame, weights: ContentWeights, buckets: int = 1) -> DataFrame:
    """One row per item and feature: item_no, feature_no (from 0 without gaps), weight.

    `items` has item_no (each once), category, brand, price, description and embedding. Every part that an item has is a
    vector of length sqrt(its weight), so the cosine of two items that have the same parts is the weighted mean of the
    parts' cosines. Words count by term frequency times ln((items + 1) / (items with the word + 1)), as in MLlib, over
    the items with a description. A part that is null, blank, not above 0 (price) or not finite is lacking. Whatever the
    partitions, the weights are the same to the last bit. `buckets` is that of number_ids.
    """
    parts = [
        _names(items, "category", weights.category),
        _names(items, "brand", weights.brand),
        _price_bands(items, weights.price),
        _words(items, weights.description),
        _vectors(items, weights.embedding),
    ]
    features = reduce(DataFrame.unionByName, parts).where("weight != 0")
    numbers = number_ids(features, "feature", "feature_no", buckets)
    return features.join(numbers, on="feature", how="inner").select("item_no", "feature_no", "weight")


def _names(items: DataFrame, column: str, weight: float) -> DataFrame:
    known = items.where(F.trim(column) != "")
    return _features(known, F.concat(F.lit(f"{column} "), F.trim(column)), weight)


def _price_bands(items: DataFrame, weight: float) -> DataFrame:
    known = items.where((F.col("price") > 0) & (F.col("price") < float("inf")))
    band = F.floor(F.log2("price") * BANDS_PER_DOUBLING)
    return _features(known, F.concat(F.lit("price "), band.cast("string")), weight)


def _features(items: DataFrame, feature: Column, weight: float) -> DataFrame:
    return items.select("item_no", feature.alias("feature"), F.lit(weight**0.5).alias("weight"))


def _words(items: DataFrame, weight: float) -> DataFrame:
    """TF-IDF of the descriptions, each item's row of length sqrt(weight)."""
    texts = items.select("item_no", F.regexp_extract_all(F.lower("description"), F.lit(WORD), F.lit(0)).alias("words"))
    texts = texts.where(F.size("words") > 0)
    counts = texts.select("item_no", F.explode("words").alias("word")).groupBy("item_no", "word").count()
    in_items = counts.groupBy("word").agg(F.count("*").alias("in_items"))
    rarity = F.log((F.col("texts") + 1) / (F.col("in_items") + 1))
    weighed = counts.join(in_items, on="word", how="inner").crossJoin(texts.agg(F.count("*").alias("texts")))
    word = F.struct(F.concat(F.lit("word "), "word").alias("feature"), (F.col("count") * rarity).alias("weight"))
    rows = weighed.groupBy("item_no").agg(F.array_sort(F.collect_list(word)).alias("cells"))
    return _to_length(rows, weight)


def _vectors(items: DataFrame, weight: float) -> DataFrame:
    values = F.col("embedding").cast("array<double>")
    is_finite = F.forall(values, lambda value: F.coalesce(F.abs(value) < float("inf"), F.lit(False)))
    known = items.where(F.col("embedding").isNotNull() & is_finite)

    def cell(value: Column, place: Column) -> Column:
        return F.struct(F.concat(F.lit("vector "), place.cast("string")).alias("feature"), value.alias("weight"))

    cells = F.transform(values, cell)
    return _to_length(known.select("item_no", cells.alias("cells")), weight)


def _to_length(rows: DataFrame, weight: float) -> DataFrame:
    """item_no, feature, weight from rows of item_no and cells (feature, weight), scaled to length sqrt(weight)."""
    squares = F.aggregate("cells", F.lit(0.0), lambda total, cell: total + cell["weight"] * cell["weight"])
    measured = rows.withColumn("squares", squares).where(F.col("squares") > LIKE_NOTHING)
    cell = measured.select("item_no", "squares", F.explode("cells").alias("cell"))
    scaled = F.col("cell.weight") * F.sqrt(F.lit(weight) / F.col("squares"))
    return cell.select("item_no", F.col("cell.feature").alias("feature"), scaled.alias("weight"))
