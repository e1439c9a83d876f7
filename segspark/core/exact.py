"""Sums that do not depend on the order in which they are taken.

Doubles added in another order differ in the last bits, and the order depends on how rows lie in files. So amounts are
added as whole ten-thousandths.
"""

import math
from collections.abc import Iterable

from pyspark.sql import Column
from pyspark.sql import functions as F

SCALE = 10_000
LIMIT = 2**63  # a bigint lies below it


def whole(amount: Column) -> Column:
    """The amount in whole ten-thousandths, halves away from zero; null where it is null or too large to be counted so.

    `round` would say the same, but goes through text and a BigDecimal for each value: a sum of it costs three times as
    much. `rint` takes halves to the even neighbour: those are put right.
    """
    scaled = amount * F.lit(float(SCALE))
    nearest = F.rint(scaled)
    is_half_lost = F.abs(scaled) - F.abs(nearest) == F.lit(0.5)
    return F.when(is_half_lost, nearest + F.signum(scaled)).otherwise(nearest).try_cast("bigint")


def amount(wholes: Column) -> Column:
    """Ten-thousandths as a double again."""
    return wholes / F.lit(SCALE)


def exact_sum(value: Column) -> Column:
    """The sum of doubles, as a double; null where all are null."""
    return amount(F.sum(whole(value)))


def sum_of(values: Iterable[float | None]) -> float | None:
    """The same of numbers that the driver has; None where there are none."""
    wholes = [found for value in values if value is not None and (found := _whole_of(value)) is not None]
    return float(sum(wholes)) / SCALE if wholes else None


def _whole_of(value: float) -> int | None:
    """As `whole`."""
    scaled = value * SCALE
    if not math.isfinite(scaled):
        return None
    nearest = round(scaled)
    is_half_lost = abs(scaled) - abs(nearest) == 0.5
    found = nearest + int(math.copysign(1, scaled)) if is_half_lost else nearest
    return found if -LIMIT <= found < LIMIT else None
