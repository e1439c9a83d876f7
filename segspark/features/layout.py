"""How rows are spread over tasks: by day where a table is written by day."""

import math
from dataclasses import dataclass

from pyspark.sql import DataFrame
from pyspark.sql import functions as F

KEYS = ("day", "slice")


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
