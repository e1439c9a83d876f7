"""Every method by the name that the configuration gives it."""

from __future__ import annotations

from collections.abc import Iterable

from pyspark.sql import DataFrame

from segspark.recommend.methods.by_factors import by_als
from segspark.recommend.methods.by_neighbours import by_content, by_items, by_users
from segspark.recommend.methods.method import Method

HYBRID = "hybrid"  # has a mix of others, which is learnt first


def methods_of(names: Iterable[str], catalogue: DataFrame) -> dict[str, Method]:
    """Those of `names` but hybrid; `catalogue` has the columns of the table items."""
    known: dict[str, Method] = {"als": by_als, "item_cf": by_items, "user_cf": by_users}
    known["content"] = by_content(catalogue)
    return {name: known[name] for name in names if name != HYBRID}
