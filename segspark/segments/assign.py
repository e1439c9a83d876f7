"""One pass of Arrow batches over everyone. Runs on executors: numpy and pyarrow only."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

import numpy as np
import pyarrow as pa
from pyspark.sql import functions as F

from segspark.segments.geometry import confidence, nearest, project
from segspark.segments.sample import matrix_of

if TYPE_CHECKING:
    from pyspark.sql import DataFrame

    from segspark.segments.model import SegmentModel

ASSIGNED = "user_id string, segment_id int, distance double, confidence double, pca array<float>"


def assign(vectors: DataFrame, model: SegmentModel) -> DataFrame:
    """Everyone's nearest segment: user_id, segment_id, distance, confidence and the place on the two axes.

    Equal distances go to the lower segment_id.
    """
    centres, origin, axes = model.centres, model.origin, model.axes

    def batches(source: Iterator[pa.RecordBatch]) -> Iterator[pa.RecordBatch]:
        for batch in source:
            if batch.num_rows == 0:
                continue
            points = matrix_of(batch.column("features"))
            found = nearest(points, centres)
            places = project(points, origin, axes).astype(np.float32)
            columns = [
                batch.column("user_id").cast(pa.string()),
                pa.array(found.label.astype(np.int32)),
                pa.array(np.sqrt(found.first)),
                pa.array(confidence(found.first, found.second)),
                pa.FixedSizeListArray.from_arrays(places.ravel(), 2).cast(pa.list_(pa.float32())),
            ]
            yield pa.RecordBatch.from_arrays(columns, ["user_id", "segment_id", "distance", "confidence", "pca"])

    return vectors.select("user_id", "features").mapInArrow(batches, ASSIGNED)


def tally(vectors: DataFrame, alternatives: list[np.ndarray]) -> DataFrame:
    """Users and summed squared distance of each segment under each set of centres, in one pass over everyone.

    One row per alternative and segment: alternative, segment, users, cost.
    """

    def batches(source: Iterator[pa.RecordBatch]) -> Iterator[pa.RecordBatch]:
        for batch in source:
            if batch.num_rows == 0:
                continue
            points = matrix_of(batch.column("features"))
            for number, centres in enumerate(alternatives):
                found = nearest(points, centres)
                columns = [
                    pa.array(np.full(len(centres), number, dtype=np.int32)),
                    pa.array(np.arange(len(centres), dtype=np.int32)),
                    pa.array(np.bincount(found.label, minlength=len(centres)).astype(np.int64)),
                    pa.array(np.bincount(found.label, weights=found.first, minlength=len(centres))),
                ]
                yield pa.RecordBatch.from_arrays(columns, ["alternative", "segment", "users", "cost"])

    counted = vectors.select("features").mapInArrow(batches, "alternative int, segment int, users bigint, cost double")
    sums = [F.sum("users").alias("users"), F.sum("cost").alias("cost")]
    return counted.groupBy("alternative", "segment").agg(*sums)
