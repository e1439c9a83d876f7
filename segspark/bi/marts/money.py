"""Sums of money that do not depend on the order in which they are taken: over whole ten-thousandths."""

from pyspark.sql import Column
from pyspark.sql import functions as F

SCALE = 10_000


def whole(amount: Column) -> Column:
    """The amount in whole ten-thousandths; null where it is null or too large to be counted so."""
    return F.round(amount * F.lit(float(SCALE))).try_cast("bigint")


def money(wholes: Column) -> Column:
    """Ten-thousandths as a double again; null counts as none."""
    return F.coalesce(wholes, F.lit(0)) / F.lit(SCALE)
