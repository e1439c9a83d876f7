"""Counts, shares and times of day as columns, exact whatever the order of the rows."""

from pyspark.sql import Column
from pyspark.sql import functions as F

DAY_MICROS = 86_400_000_000


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
