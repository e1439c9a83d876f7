"""How rows are spread over tasks: by day where a table is written by day, by user where users are described."""

import math
from dataclasses import dataclass

from pyspark.sql import DataFrame
from pyspark.sql import functions as F

KEYS = ("day", "slice")


ROWS_PER_TASK = 2_000_000  # so many groups of a user and an item fit into a task's share of a 4 GB heap


@dataclass(frozen=True)
class Layout:
    """`days` are built by about `partitions` tasks. Changes where rows lie, never what they say."""

    days: int = 1
    partitions: int = 1

    def gather(self, rows: DataFrame) -> DataFrame:
        """The rows with `slice`: those of one day and slice, and so of one user and day, lie in one partition.

        What is grouped by `KEYS` and more needs no further shuffle, neither for the grouping nor to write one file per
        day: many days are one task each; few are cut into slices of users, so that all cores have something to do.
        """
        if self.days >= self.partitions:
            return rows.withColumn("slice", F.lit(0)).repartition(self.days, "day")
        slices = math.ceil(self.partitions / self.days)
        return rows.withColumn("slice", F.pmod(F.xxhash64("user_id"), F.lit(slices)).cast("int")).repartition(*KEYS)


ONE_TASK = Layout()


def tasks_for(rows: int, partitions: int) -> int | None:
    """How many tasks so many rows need; None where Spark's own number is enough, which it can also lower."""
    needed = math.ceil(rows / ROWS_PER_TASK)
    return needed if needed > partitions else None


def gather_users(rows: DataFrame, tasks: int | None) -> DataFrame:
    """The rows of one user in one partition: all that is grouped by user and more needs no further shuffle."""
    return rows.repartition("user_id") if tasks is None else rows.repartition(tasks, "user_id")
