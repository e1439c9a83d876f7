"""Sums of money as views show them."""

from pyspark.sql import Column
from pyspark.sql import functions as F

from segspark.core.exact import amount


def money(wholes: Column) -> Column:
    """Ten-thousandths as a double again; null counts as none."""
    return amount(F.coalesce(wholes, F.lit(0)))
