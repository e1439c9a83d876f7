"""How many pairs the rows of sparse matrices have: what plans of products go by."""

from __future__ import annotations

from dataclasses import dataclass
from functools import reduce
from math import ceil

import numpy as np
from pyspark.sql import DataFrame, Row
from pyspark.sql import functions as F

PARTS = 1024  # ranges of numbers whose pairs are counted apart: the most rows that are collected of a side
ALIKE = -1  # stands for a range where it is the sum of squares of rows that all tie


@dataclass(frozen=True)
class Degrees:
    """How many pairs the rows of a sparse matrix have."""

    rows: int  # one more than the highest number
    pairs: int
    squares: int  # the sum of their squares: the multiply-adds of the product over this side
    most: int  # of the fullest row
    alike: int  # cells of the product of rows with one pair each, in the same column: they all tie
    part_rows: int
    parts: tuple[int, ...]  # pairs of each range of so many numbers

    def fullest(self, block_rows: int) -> int:
        """At most so many pairs are in any block of so many rows."""
        before = np.concatenate([[0], np.cumsum(self.parts)])
        first = np.arange(0, max(self.rows, 1), block_rows)
        last = np.minimum(-(-(first + block_rows) // self.part_rows), len(self.parts))
        in_blocks = before[last] - before[np.minimum(first // self.part_rows, len(self.parts))]
        return int(min(in_blocks.max(), block_rows * self.most))


@dataclass(frozen=True)
class Side:
    """Pairs, each once, by the number of one of the two."""

    pairs: DataFrame
    row: str  # the column that numbers the rows, from 0 to rows - 1
    column: str
    rows: int

    @property
    def part_rows(self) -> int:
        """Numbers in one range."""
        return max(1, ceil(self.rows / PARTS))


def measure(*sides: Side) -> list[Degrees]:
    """Counts the pairs of each row, of all sides in one query; collects sums of at most 1,024 ranges of a side."""
    named = [
        each.pairs.select(
            F.lit(place).alias("side"),
            F.lit(each.part_rows).alias("part_rows"),
            F.col(each.row).alias("row"),
            F.col(each.column).alias("column"),
        )
        for place, each in enumerate(sides)
    ]
    rows = reduce(DataFrame.unionByName, named).groupBy("side", "part_rows", "row")
    degrees = rows.agg(F.count(F.lit(1)).alias("degree"), F.min("column").alias("column"))
    square = F.col("degree") * F.col("degree")
    in_parts = degrees.groupBy("side", F.expr("int(row div part_rows)").alias("part")).agg(
        F.sum("degree").alias("pairs"), F.sum(square).alias("squares"), F.max("degree").alias("most")
    )
    single = degrees.where("degree = 1").groupBy("side", "column").agg(F.count(F.lit(1)).alias("degree"))
    alike = single.groupBy("side", F.lit(ALIKE).alias("part")).agg(
        F.lit(0).alias("pairs"), F.sum(square).alias("squares"), F.lit(0).alias("most")
    )
    found = in_parts.unionByName(alike).collect()
    return [_degrees(each, [row for row in found if row["side"] == place]) for place, each in enumerate(sides)]


def _degrees(side: Side, found: list[Row]) -> Degrees:
    parts = [row for row in found if row["part"] != ALIKE]
    by_part = {row["part"]: row["pairs"] for row in parts}
    return Degrees(
        rows=side.rows,
        pairs=sum(by_part.values()),
        squares=sum(row["squares"] for row in parts),
        most=max((row["most"] for row in parts), default=0),
        alike=sum(row["squares"] for row in found if row["part"] == ALIKE),
        part_rows=side.part_rows,
        parts=tuple(by_part.get(number, 0) for number in range(max(1, ceil(side.rows / side.part_rows)))),
    )
