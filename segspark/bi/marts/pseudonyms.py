"""The names under which views show users: keyed, so that nobody without the key can tell whose they are."""

from __future__ import annotations

import hashlib

from pyspark.sql import Column, DataFrame, SparkSession
from pyspark.sql import functions as F

from segspark.bi.marts.keys import PseudonymKey

DIGITS = 32  # of a pseudonym, hexadecimal: of ten million users no two will have the same
BLOCK = 64  # bytes that SHA-256 takes at a time
INNER, OUTER = 0x36, 0x5C  # what HMAC adds to the key, before the message and before its digest


def with_user_key(users: DataFrame, key: PseudonymKey) -> DataFrame:
    """`users` with `user_key`: HMAC-SHA256 of user_id (RFC 2104), its first 32 hexadecimal digits.

    The key is a row that is joined, not a literal: literals stand in plans, and plans in event logs.
    """
    keyed = users.crossJoin(F.broadcast(_key_row(users.sparkSession, key)))
    inner = _sha256(F.col("inner_pad"), F.encode("user_id", "UTF-8"))
    outer = F.sha2(F.concat(F.col("outer_pad"), inner), 256)
    return keyed.withColumn("user_key", F.substring(outer, 1, DIGITS)).drop("inner_pad", "outer_pad")


def _sha256(*parts: Column) -> Column:
    return F.unhex(F.sha2(F.concat(*parts), 256))


def _key_row(spark: SparkSession, key: PseudonymKey) -> DataFrame:
    block = key.secret if len(key.secret) <= BLOCK else hashlib.sha256(key.secret).digest()
    padded = block.ljust(BLOCK, b"\0")
    pads = [bytearray(byte ^ pad for byte in padded) for pad in (INNER, OUTER)]
    return spark.createDataFrame([tuple(pads)], "inner_pad binary, outer_pad binary")
