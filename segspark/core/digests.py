"""The digest of a table's rows, by which a run's rows are told to be those that were published.

It is the exclusive or of Spark's `xxhash64` of each row, so that the order of rows does not matter. What the driver has
is hashed here: a query over forty tables of forty shapes takes more to plan and compile than the rows of a small shop.
"""

import struct
from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import date, datetime, timezone
from functools import reduce
from operator import xor
from typing import Any

import pyarrow as pa
from pyspark.sql import DataFrame
from pyspark.sql import functions as F

from segspark.core.arrow_rows import arrow_type, stored_columns
from segspark.core.contracts import RUN_TABLES, Contract
from segspark.core.lake import Lake
from segspark.core.xxhash64 import SPARK_SEED, xxhash64

Told = tuple[int, int]  # how many rows, and the digest of all of them
EPOCH = datetime(1970, 1, 1, tzinfo=timezone.utc)


def digests_of_run(lake: Lake, run_id: str, tables: Iterable[Contract] = RUN_TABLES) -> dict[str, Told]:
    """Of each table that exists how many rows the run has there, and their digest. One Spark execution at the most."""
    there = [contract for contract in tables if lake.exists(contract)]
    small = {contract.name: digest_of_rows(lake, contract, run_id) for contract in there if contract.driver_sized}
    frames = {contract.name: lake.read_run(contract, run_id) for contract in there if not contract.driver_sized}
    told = {**small, **digests_of_frames(frames)}
    return {contract.name: told[contract.name] for contract in there}


def digests_of_frames(frames: Mapping[str, DataFrame]) -> dict[str, Told]:
    """By name how many rows a frame has and their digest, in one pass over all."""
    hashed = [
        frame.select(F.lit(name).alias("frame"), F.xxhash64(*frame.columns).alias("hash"))
        for name, frame in frames.items()
    ]
    found = dict.fromkeys(frames, (0, 0))
    if hashed:
        sums = reduce(DataFrame.unionByName, hashed).groupBy("frame").agg(F.count(F.lit(1)), F.bit_xor("hash"))
        found |= {name: (rows, digest) for name, rows, digest in sums.collect()}
    return found


def digest_of_rows(lake: Lake, contract: Contract, run_id: str) -> Told:
    """The same of a driver-sized table, without Spark."""
    types = {column.name: arrow_type(column.type) for column in stored_columns(contract) if column.name != "run_id"}
    order = [name for name in lake.columns(contract) if name in types]
    order += [name for name in types if name not in order]  # as a frame has what the contract gained
    kinds = [types[name] for name in order]
    rows = lake.rows_of_run(contract, run_id)
    return len(rows), reduce(xor, (hash_of([row[name] for name in order], kinds) for row in rows), 0)


def hash_of(values: Sequence[Any], kinds: Sequence[pa.DataType]) -> int:
    """As Spark's `xxhash64` of values of those types: each hashed on, from the hash of those before it."""
    parts = (part for value, kind in zip(values, kinds, strict=True) for part in _parts(value, kind))
    (hashed,) = struct.unpack("<q", reduce(_hashed_on, parts, SPARK_SEED).to_bytes(8, "little"))
    return int(hashed)


def _hashed_on(seed: int, content: bytes) -> int:
    return xxhash64(content, seed)


def _parts(value: Any, kind: pa.DataType) -> Iterator[bytes]:
    """What of a value is hashed, in turn; nothing of null."""
    if value is None:
        return
    if pa.types.is_list(kind):
        yield from _all_parts((each, kind.value_type) for each in value)
    elif pa.types.is_struct(kind):
        yield from _all_parts((value[field.name], field.type) for field in kind)
    elif pa.types.is_string(kind):
        yield value.encode()
    else:
        yield _number(value, kind)


def _all_parts(values: Iterable[tuple[Any, pa.DataType]]) -> Iterator[bytes]:
    for value, kind in values:
        yield from _parts(value, kind)


def _number(value: Any, kind: pa.DataType) -> bytes:
    """Times as microseconds, dates as days since 1970; minus zero as zero and any NaN as the one that Java has."""
    if isinstance(value, datetime):
        since = value - EPOCH
        return struct.pack("<q", (since.days * 86_400 + since.seconds) * 10**6 + since.microseconds)
    if isinstance(value, date):
        return struct.pack("<i", (value - EPOCH.date()).days)
    if pa.types.is_floating(kind):
        plain = float("nan") if value != value else value + 0.0
        return struct.pack("<f" if pa.types.is_float32(kind) else "<d", plain)
    return struct.pack("<q" if pa.types.is_int64(kind) else "<i", value)
