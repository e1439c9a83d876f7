"""The features of a bounded sample of users as a matrix, in their own units: what reasons are learnt from."""

from dataclasses import dataclass

import numpy as np
import pyarrow as pa
from pyspark.sql import Column
from pyspark.sql import functions as F

UNKNOWN = -1e30  # stands for a missing value: less than any number, as the rules say; fits float32


@dataclass(frozen=True)
class Features:
    """One row per user, one column per feature; a value of a category is a feature of 0 or 1, as `gender=f`."""

    names: tuple[str, ...]
    cells: np.ndarray  # users x features; UNKNOWN where missing
    labels: np.ndarray  # segment_id of each user

    def first(self, users: int) -> "Features":
        """The first users only, in the order of the sample."""
        return Features(self.names, self.cells[:users], self.labels[:users])


def features_of(sample: pa.Table, numeric: list[str], values: list[str]) -> Features:
    """The numeric features and the values of categories that vary in the sample (user_id, segment_id, features)."""
    columns = {name: _numbers(sample.column(name)) for name in numeric}
    columns |= {value: _is_value(sample, value) for value in values}
    varying = {name: cells for name, cells in columns.items() if len(cells) and cells.min() != cells.max()}
    labels = sample.column("segment_id").to_numpy()
    cells = np.column_stack(list(varying.values())) if varying else np.zeros((len(labels), 0))
    return Features(tuple(varying), cells, labels)


def feature_column(name: str) -> Column:
    """The same number for every user in Spark, from a row of user_features."""
    if "=" in name:
        category, _, value = name.partition("=")
        return F.coalesce((F.col(category) == F.lit(value)).cast("double"), F.lit(0.0))
    is_finite = F.abs(F.col(name)) < F.lit(float("inf"))
    return F.coalesce(F.when(is_finite, F.col(name)), F.lit(UNKNOWN))


def _numbers(column: pa.ChunkedArray) -> np.ndarray:
    values = column.to_numpy().astype(np.float64)
    return np.where(np.isfinite(values), values, UNKNOWN)


def _is_value(sample: pa.Table, value: str) -> np.ndarray:
    category, _, wanted = value.partition("=")
    found = np.array([each == wanted for each in sample.column(category).to_pylist()], dtype=np.float64)
    return found
