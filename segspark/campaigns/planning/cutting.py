"""Which of the wanted contacts are made, and on which day: the best of each action, as far as its quotas go."""

from pyspark.sql import Column, DataFrame, Window
from pyspark.sql import functions as F

from segspark.campaigns.planning.quotas import Quotas


def cut_to_quotas(wanted: DataFrame, quotas: Quotas, starts_on: str) -> DataFrame:
    """The rows of `wanted` that fit, with `send_on`: those of an action in the order of their surplus, then of a hash.

    `wanted` has user_id, action, surplus, holdout and tie (uniform). A user who is held out takes no quota: they are in
    where the contacts of their action that are better leave room for one more, on the day that it would go out.
    """
    order = Window.partitionBy("action").orderBy(F.desc("surplus"), "tie", "user_id")
    better = F.sum((~F.col("holdout")).cast("int")).over(order.rowsBetween(Window.unboundedPreceding, -1))
    placed = wanted.withColumn("__place", F.coalesce(better, F.lit(0)))
    day = _day(quotas)
    cut = placed.withColumn("__day", day).where(F.col("__day").isNotNull())
    return cut.withColumn("send_on", F.date_add(F.lit(starts_on).cast("date"), F.col("__day"))).drop("__place", "__day")


def _day(quotas: Quotas) -> Column:
    """The day, from 0, of a place among the contacts of an action; null beyond the last."""
    entries = []
    for action, counts in quotas.items():
        ends, total = [], 0
        for count in counts:
            total += count
            ends.append(total)
        entries += [F.lit(action), F.array(*map(F.lit, ends))]
    ends_of = F.create_map(*entries)[F.col("action")]
    before = F.size(F.filter(ends_of, lambda end: end <= F.col("__place")))
    return F.when(before < F.size(ends_of), before)
