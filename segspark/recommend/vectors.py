"""The vectors of users and of items."""

from __future__ import annotations

from dataclasses import dataclass

from pyspark.sql import DataFrame


@dataclass(frozen=True)
class Factors:
    """Two frames: user_no and factors, item_no and factors; factors is array<float>, of one length on both sides."""

    users: DataFrame
    items: DataFrame
