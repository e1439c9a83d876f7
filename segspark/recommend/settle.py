"""Frames that are used more than once are computed once, with what is asked of their rows.

They are checkpointed rather than cached: the plan of a cached frame stands inside every plan that reads it, and after a
few such levels Spark spends minutes on printing plans.
"""

from __future__ import annotations

from typing import Any

from pyspark.sql import Column, DataFrame, Observation


def settle(frame: DataFrame) -> DataFrame:
    """The rows, computed now, without the plan that they came by.

    Where the executors may be lost while the driver lives, in files; in a local session in the blocks of its only
    process, which takes no writing and reading of files.
    """
    master = frame.sparkSession.sparkContext.master or ""
    is_one_process = master == "local" or master.startswith("local[")
    return frame.localCheckpoint() if is_one_process else frame.checkpoint()


def settle_with(frame: DataFrame, **figures: Column) -> tuple[DataFrame, dict[str, Any]]:
    """The same, and aggregates over the rows that come out of the one execution. Aggregates of no rows are as SQL's."""
    found = Observation()
    settled = settle(frame.observe(found, *(figure.alias(name) for name, figure in figures.items())))
    return settled, found.get
