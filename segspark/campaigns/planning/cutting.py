"""Which of the wanted contacts are made, and on which day: the best of each action, as far as its quotas go."""

from collections.abc import Mapping, Sequence

from pyspark.sql import Column, DataFrame
from pyspark.sql import functions as F

from segspark.campaigns.planning.quotas import Quotas
from segspark.campaigns.planning.ranking import with_better


def cut_to_quotas(
    wanted: DataFrame, counts: Mapping[str, int], quotas: Quotas, starts_on: str, steps: Sequence[float] = ()
) -> DataFrame:
    """The rows of `wanted` that fit, with `send_on`: those of an action in the order of their surplus, then of a hash.

    `wanted` has user_id, action, surplus, holdout and tie (uniform), and of each action `counts` users who are not held
    out. A user who is held out takes no quota: they are in where the contacts of their action that are better leave
    room for one more, or all of the action go out, on the day that theirs would.
    """
    whole = {action: sum(days) - 1 for action, days in quotas.items() if 0 < counts.get(action, 0) <= sum(days)}
    better = F.col("__better")
    placed = with_better(wanted, "action", steps).withColumn(
        "__place", F.least(better, _last_place(whole)) if whole else better
    )
    day = _day(quotas)
    cut = placed.withColumn("__day", day).where(F.col("__day").isNotNull())
    return cut.withColumn("send_on", F.date_add(F.lit(starts_on).cast("date"), F.col("__day"))).drop(
        "__better", "__place", "__day"
    )


def _last_place(whole: Mapping[str, int]) -> Column:
    """The last place of an action that goes out as a whole; null of the others, which `least` does not look at."""
    entries = [F.lit(part) for pair in whole.items() for part in pair]
    return F.create_map(*entries)[F.col("action")]


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
