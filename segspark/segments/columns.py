"""Which prepared columns a scheme sees, and how much each weighs."""

from functools import reduce
from operator import and_

from pyspark.sql import Column, DataFrame
from pyspark.sql import functions as F

from segspark.core.errors import ConfigError
from segspark.segments.config import SchemeConfig


def chosen_columns(vectors: DataFrame, kept: list[str], config: SchemeConfig, path: str) -> DataFrame:
    """The vectors (user_id, features) with the scheme's columns only, each times its weight.

    `kept` are the names of the prepared columns in order. ConfigError for a name that is not among them, or where
    columns have no names because the preparation took principal components or categories.
    """
    if not config.columns and not config.weights:
        return vectors
    for key, names in {"columns": config.columns, "weights": tuple(config.weights)}.items():
        unknown = [name for name in names if name not in kept]
        if unknown:
            known = ", ".join(kept) or "none (the preparation has components or categories, whose columns have no name)"
            raise ConfigError(f"{path}.{key}: {unknown[0]} is no prepared column; they are {known}")
    places = [(kept.index(name), config.weights.get(name, 1.0)) for name in config.columns or kept]
    return vectors.select("user_id", F.array(*(_weighed(*place) for place in places)).alias("features"))


def raw_columns(features: DataFrame, names: tuple[str, ...]) -> DataFrame:
    """These columns of user_features as vectors (user_id, features), of people who have them all.

    None where a column is absent.
    """
    absent = [name for name in names if name not in features.columns]
    if absent:
        return features.select("user_id", F.array().cast("array<float>").alias("features")).limit(0)
    is_whole = reduce(and_, (F.col(name).isNotNull() for name in names), ~F.coalesce("is_bot", F.lit(False)))
    vector = F.array(*(F.col(name).cast("float") for name in names)).alias("features")
    return features.where(is_whole).select("user_id", vector)


def _weighed(place: int, weight: float) -> Column:
    return (F.element_at("features", place + 1) * F.lit(weight)).cast("float")
