"""Bounded samples chosen by the hash of the user's id: the same whoever else is there and wherever rows lie."""

from dataclasses import dataclass

import numpy as np
import pyarrow as pa
from pyspark.sql import DataFrame
from pyspark.sql import functions as F

HASH_STEPS = 1 << 40  # resolution of the share that is kept


@dataclass(frozen=True)
class VectorSample:
    """Up to a stated number of users: a row of `points` and one of random `bits` each, in the order of user_id."""

    points: np.ndarray
    bits: np.ndarray


def hash_sample(frame: DataFrame, size: int, users: int, seed: int) -> DataFrame:
    """About `size` of the frame's `users` rows (never fewer by chance in practice), with their `sample_hash`.

    Those with the lowest hashes: a larger sample holds the smaller. `nearest_hashes` cuts it to the size.
    """
    hashed = frame.withColumn("sample_hash", F.pmod(F.xxhash64("user_id", F.lit(seed)), F.lit(HASH_STEPS)))
    if size >= users:
        return hashed
    margin = 6.0 * size**0.5  # six deviations of the number of hashes below the threshold
    return hashed.where(F.col("sample_hash") < F.lit(int(HASH_STEPS * min(1.0, (size + margin) / users))))


def lowest_hashes(rows: pa.Table, size: int) -> pa.Table:
    """The `size` rows with the lowest hash, in the order of user_id."""
    rows = rows.sort_by([("sample_hash", "ascending"), ("user_id", "ascending")]).slice(0, size)
    return rows.sort_by("user_id").combine_chunks()


def sample_vectors(vectors: DataFrame, size: int, users: int, seed: int) -> VectorSample:
    """Brings up to `size` users' vectors to the driver, as configured: size x features x 8 bytes."""
    halves = F.xxhash64("user_id", F.lit(seed), F.lit("halves")).alias("bits")
    chosen = hash_sample(vectors, size, users, seed).select("user_id", "sample_hash", "features", halves)
    rows = lowest_hashes(chosen.toArrow(), size)
    return VectorSample(matrix_of(rows.column("features").combine_chunks()), rows.column("bits").to_numpy())


def matrix_of(features: pa.Array) -> np.ndarray:
    """A list column, every list of one length, as a matrix of doubles with a row per list."""
    if isinstance(features, pa.ChunkedArray):
        features = pa.concat_arrays(features.chunks)
    values = features.flatten().to_numpy(zero_copy_only=False).astype(np.float64)
    return values.reshape(len(features), -1)
