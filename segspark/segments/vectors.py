"""Frames of one row per user before and after the fit, by built-in expressions."""

from pyspark.sql import Column, DataFrame
from pyspark.sql import functions as F


def unit_length(vectors: DataFrame) -> DataFrame:
    """Every vector scaled to length 1, so that only its direction counts; a zero vector stays."""

    def add_square(total: Column, value: Column) -> Column:
        return total + value.cast("double") * value.cast("double")

    length = F.sqrt(F.aggregate("features", F.lit(0.0), add_square))
    scaled = F.transform("features", lambda value: (value / F.col("length")).cast("float"))
    with_length = vectors.withColumn("length", length)
    return with_length.select(
        "user_id", F.when(F.col("length") > 0, scaled).otherwise(F.col("features")).alias("features")
    )


def named_users(assigned: DataFrame, scheme: str, names: dict[int, str], is_compared: bool) -> DataFrame:
    """The assignment in the shape of user_segments; `names` are by segment_id, `cause` counts where compared."""
    name = F.create_map(*(F.lit(part) for pair in names.items() for part in pair))[F.col("segment_id")]
    return assigned.select(
        F.lit(scheme).alias("scheme"),
        "user_id",
        "segment_id",
        name.alias("segment_name"),
        "distance",
        "confidence",
        F.when(F.lit(is_compared), F.col("cause")).alias("change"),
        "pca",
    )
