"""Values of a few names, known on the driver, as a column."""

from collections.abc import Mapping
from typing import Any

from pyspark.sql import Column
from pyspark.sql import functions as F


def looked_up(values: Mapping[Any, Any], name: str, kind: str) -> Column:
    """The value, of that type, of each row's key in the column `name`; null where the key has none."""
    told = {key: value for key, value in values.items() if value is not None}
    if not told:
        return F.lit(None).cast(kind)
    entries = (part for key, value in told.items() for part in (F.lit(key), F.lit(value).cast(kind)))
    return F.create_map(*entries)[F.col(name)]
