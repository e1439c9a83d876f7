"""One pass of Arrow batches over everyone. Runs on executors: numpy, scipy and pyarrow only."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

import numpy as np
import pyarrow as pa
from pyspark.sql import functions as F

from segspark.segments.geometry import project
from segspark.segments.sample import matrix_of

if TYPE_CHECKING:
    from pyspark.sql import DataFrame

    from segspark.segments.model import SegmentModel
    from segspark.segments.placement import Placement

ASSIGNED = "user_id string, segment_id int, distance double, confidence double, pca array<float>"
FRACTIONS = 1 << 24  # coordinates are summed as whole numbers of these parts, so that their order does not matter


def assign(vectors: DataFrame, model: SegmentModel) -> DataFrame:
    """Everyone's segment: user_id, segment_id, distance, confidence and the place on the two axes of the map."""
    placement, ids, origin, axes = model.placement, model.ids.astype(np.int32), model.origin, model.axes

    def batches(source: Iterator[pa.RecordBatch]) -> Iterator[pa.RecordBatch]:
        for batch in source:
            if batch.num_rows == 0:
                continue
            points = matrix_of(batch.column("features"))
            placed = placement.place(points)
            places = project(points, origin, axes).astype(np.float32)
            columns = [
                batch.column("user_id").cast(pa.string()),
                pa.array(ids[placed.number]),
                pa.array(placed.distance),
                pa.array(placed.confidence),
                pa.FixedSizeListArray.from_arrays(places.ravel(), 2).cast(pa.list_(pa.float32())),
            ]
            yield pa.RecordBatch.from_arrays(columns, ["user_id", "segment_id", "distance", "confidence", "pca"])

    return vectors.select("user_id", "features").mapInArrow(batches, ASSIGNED)


def tally(vectors: DataFrame, alternatives: list[Placement], width: int) -> DataFrame:
    """Users, summed cost and summed points of each segment under each placement, in one pass over everyone.

    One row per alternative and segment that has users: alternative, segment, users, cost, and total_0 to total_<width>,
    the coordinates' sums in FRACTIONS. `width` is the number of coordinates.
    """
    totals = [f"total_{number}" for number in range(width)]

    def batches(source: Iterator[pa.RecordBatch]) -> Iterator[pa.RecordBatch]:
        sums = [_Sums(placement.segments, width) for placement in alternatives]
        for batch in source:
            if batch.num_rows:
                points = matrix_of(batch.column("features"))
                for placement, own in zip(alternatives, sums, strict=True):
                    own.add(points, placement)
        for number, own in enumerate(sums):
            yield own.batch(number, totals)

    schema = "alternative int, segment int, users bigint, cost double, " + ", ".join(f"{n} bigint" for n in totals)
    counted = vectors.select("features").mapInArrow(batches, schema)
    return counted.groupBy("alternative", "segment").agg(*(F.sum(n).alias(n) for n in ("users", "cost", *totals)))


class _Sums:
    """What one partition adds up under one placement."""

    def __init__(self, segments: int, width: int) -> None:
        self.users, self.cost = np.zeros(segments, np.int64), np.zeros(segments)
        self.totals = np.zeros((width, segments), np.int64)

    def add(self, points: np.ndarray, placement: Placement) -> None:
        """Counts a batch."""
        placed, segments = placement.place(points), len(self.users)
        self.users += np.bincount(placed.number, minlength=segments)
        self.cost += np.bincount(placed.number, weights=placed.cost, minlength=segments)
        by_segment = np.argsort(placed.number, kind="stable")
        starts = np.searchsorted(placed.number[by_segment], np.arange(segments))
        present = np.flatnonzero(np.diff(np.append(starts, len(points))))
        wholes = np.round(points.T * FRACTIONS).astype(np.int64)
        self.totals[:, present] += np.add.reduceat(wholes[:, by_segment], starts[present], axis=1)

    def batch(self, number: int, totals: list[str]) -> pa.RecordBatch:
        """One row per segment that has users."""
        present = np.flatnonzero(self.users)
        columns = [
            pa.array(np.full(len(present), number, np.int32)),
            pa.array(present.astype(np.int32)),
            pa.array(self.users[present]),
            pa.array(self.cost[present]),
            *(pa.array(total[present]) for total in self.totals),
        ]
        return pa.RecordBatch.from_arrays(columns, ["alternative", "segment", "users", "cost", *totals])
