"""Who comes before whom: by surplus, then by a drawn number, whatever the partitions and however many there are."""

from collections.abc import Sequence

from pyspark.sql import Column, DataFrame, Window, WindowSpec
from pyspark.sql import functions as F

LONG = 1_000_000  # contacts up to which one task may rank all of a group
STEPS = 64  # pieces of a long order by surplus
TIES = 64  # pieces of those whose surplus is the same


def steps_of(contacts: DataFrame, count: int) -> list[float]:
    """Surpluses that cut `count` contacts into pieces of about one size, rising; none where one task may rank them all.

    Which ones changes no place, only how even the pieces are.
    """
    if count <= LONG:
        return []
    shares = [step / STEPS for step in range(1, STEPS)]
    row = contacts.agg(F.percentile_approx("surplus", shares).alias("steps")).collect()[0]
    return sorted(set(row.steps))


def with_better(contacts: DataFrame, group: str, steps: Sequence[float]) -> DataFrame:
    """The contacts with `__better`: how many of their group that are not held out come before them.

    `contacts` has user_id, surplus, tie (uniform) and holdout. A group is ranked in pieces between the `steps`, each
    behind as many as the pieces before hold; whose surplus is a step, of whom there may be many, in pieces by `tie`.
    """
    order = [F.desc("surplus"), F.col("tie"), F.col("user_id")]
    takes = (~F.col("holdout")).cast("int")
    if not steps:
        return contacts.withColumn("__better", _before(F.sum(takes), Window.partitionBy(group).orderBy(*order)))
    cut = contacts.withColumn("__piece", _piece(steps))
    sizes = cut.groupBy(group, "__piece").agg(F.sum(takes).alias("__size"))
    ahead = _before(F.sum("__size"), Window.partitionBy(group).orderBy("__piece"))
    inside = _before(F.sum(takes), Window.partitionBy(group, "__piece").orderBy(*order))
    both = cut.withColumn("__inside", inside).join(
        sizes.select(group, "__piece", ahead.alias("__ahead")), on=[group, "__piece"], how="inner"
    )
    return both.select(*contacts.columns, (F.col("__ahead") + F.col("__inside")).alias("__better"))


def _before(total: Column, order: WindowSpec) -> Column:
    """The total of the rows before, 0 for the first."""
    rows = order.rowsBetween(Window.unboundedPreceding, -1)
    return F.coalesce(total.over(rows), F.lit(0))


def _piece(steps: Sequence[float]) -> Column:
    """The number of a row's piece: the best first."""
    below = F.size(F.filter(F.array(*map(F.lit, steps)), lambda step: step < F.col("surplus")))
    is_step = F.col("surplus").isin(*steps)
    by_tie = F.when(is_step, F.floor(F.col("tie") * TIES)).otherwise(F.lit(0))
    return (by_tie - TIES * (2 * below + is_step.cast("int"))).cast("int")
