"""Sums that do not depend on the order in which they are taken.

Doubles added in another order differ in the last bits, and the order depends on how rows lie in files. So amounts are
added as whole ten-thousandths.
"""

from pyspark.sql import Column
from pyspark.sql import functions as F

SCALE = 10_000
DAY_MICROS = 86_400_000_000


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


def count_if(condition: Column) -> Column:
    """How many rows fulfil the condition; null counts as no."""
    return F.sum(F.when(condition, F.lit(1)).otherwise(F.lit(0)).cast("bigint"))


def ratio(part: Column, total: Column) -> Column:
    """part / total as a double; null where total is 0 or unknown."""
    return F.try_divide(part.cast("double"), total.cast("double"))


def day_of(micros: Column) -> Column:
    """The UTC day of a time in microseconds."""
    return F.date_from_unix_date(((micros - micros % DAY_MICROS) / F.lit(DAY_MICROS)).cast("int"))


def is_night(micros: Column, from_hour: int, to_hour: int) -> Column:
    """Whether a time in microseconds lies in the night, which may run over midnight."""
    hour = F.lit(3_600_000_000)
    of_day = micros % DAY_MICROS
    late, early = of_day >= hour * from_hour, of_day < hour * to_hour
    return (late | early) if from_hour > to_hour else (late & early)
