"""Factors of two ALS fits in one space. Runs on executors: numpy and pyarrow only.

A fit may turn its factors as a whole: users and items turn alike and every product of the two stays. The rotation that
brings today's item factors nearest to the earlier ones brings the users along.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import numpy as np
import pyarrow as pa
from pyspark.sql import functions as F

from segspark.segments.assign import FRACTIONS
from segspark.segments.geometry import project
from segspark.segments.model import SegmentModel, as_stored
from segspark.segments.placements.centres import NearestCentre, NearestDirection
from segspark.segments.sample import matrix_of

if TYPE_CHECKING:
    from pyspark.sql import DataFrame, Row


@dataclass(frozen=True)
class Rotation:
    """`turn` brings a row vector of today's factors into the earlier space."""

    turn: np.ndarray
    congruence: float  # of the items' factors once turned, from 0 to 1: 1 where they are the same up to their length


def sum_products(items: DataFrame, rank: int) -> DataFrame:
    """Sums over the items of all products of two numbers of (now, then): side, other, total in FRACTIONS.

    `items` has now and then, both array<float> of length `rank`. 4 x rank x rank rows at most.
    """

    def batches(source: Iterator[pa.RecordBatch]) -> Iterator[pa.RecordBatch]:
        totals = np.zeros((2 * rank, 2 * rank), np.int64)
        for batch in source:
            if batch.num_rows:
                both = np.hstack([matrix_of(batch.column("now")), matrix_of(batch.column("then"))])
                for row in both:  # a row by itself, so that batches do not matter
                    totals += np.round(np.outer(row, row) * FRACTIONS).astype(np.int64)
        side, other = np.indices(totals.shape, dtype=np.int32)
        columns = [pa.array(side.ravel()), pa.array(other.ravel()), pa.array(totals.ravel())]
        yield pa.RecordBatch.from_arrays(columns, ["side", "other", "total"])

    summed = items.select("now", "then").mapInArrow(batches, "side int, other int, total bigint")
    return summed.groupBy("side", "other").agg(F.sum("total").alias("total"))


def rotation_of(products: Iterable[Row], rank: int) -> Rotation | None:
    """The orthogonal Procrustes solution (Schönemann 1966) of `sum_products`; None where no item is in both."""
    totals = np.zeros((2 * rank, 2 * rank))
    for row in products:
        totals[row["side"], row["other"]] = row["total"] / FRACTIONS
    sizes = np.trace(totals[:rank, :rank]) * np.trace(totals[rank:, rank:])
    if sizes <= 0:
        return None
    left, values, right = np.linalg.svd(totals[:rank, rank:])
    return Rotation((left @ right).astype(np.float32).astype(np.float64), float(values.sum() / np.sqrt(sizes)))


def model_today(model: SegmentModel, rotation: Rotation) -> SegmentModel | None:
    """An earlier model in the space of today's factors, where it would place everyone as it does there.

    None for a placement that a rotation does not carry: of centres alone it does, by Euclidean distance or direction.
    """
    if not isinstance(model.placement, NearestCentre | NearestDirection):
        return None
    back = rotation.turn.T
    placement = replace(model.placement, centres=as_stored(model.placement.centres @ back))
    moved = {name: as_stored(getattr(model, name) @ back) for name in ("centres", "origin", "axes")}
    return replace(model, placement=placement, **moved)


def turned(vectors: DataFrame, rotation: Rotation) -> DataFrame:
    """The vectors (user_id, features) in the earlier space."""
    axes = np.ascontiguousarray(rotation.turn.T)
    origin = np.zeros(len(axes))

    def batches(source: Iterator[pa.RecordBatch]) -> Iterator[pa.RecordBatch]:
        for batch in source:
            if batch.num_rows == 0:
                continue
            places = project(matrix_of(batch.column("features")), origin, axes).astype(np.float32)
            features = pa.FixedSizeListArray.from_arrays(places.ravel(), places.shape[1]).cast(pa.list_(pa.float32()))
            yield pa.RecordBatch.from_arrays([batch.column("user_id"), features], ["user_id", "features"])

    return vectors.select("user_id", "features").mapInArrow(batches, "user_id string, features array<float>")
