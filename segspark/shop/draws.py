"""Every draw is a function of the seed, a purpose and the number of what is drawn for: no order, no partition."""

import hashlib
import math

from pyspark.sql import Column
from pyspark.sql import functions as F

GOLDEN = 0.6180339887498949
PLASTIC = 0.7548776662466927


def hashed(seed: int, purpose: str, *keys: Column) -> Column:
    """64 well mixed bits."""
    salt = int.from_bytes(hashlib.blake2b(f"{seed} {purpose}".encode(), digest_size=8).digest(), "big", signed=True)
    return F.xxhash64(F.lit(salt).cast("bigint"), *[key.cast("bigint") for key in keys])


def uniform(seed: int, purpose: str, *keys: Column) -> Column:
    """A double strictly between 0 and 1."""
    return (F.shiftrightunsigned(hashed(seed, purpose, *keys), 11) + 0.5) * F.lit(2.0**-53)


def normal(seed: int, purpose: str, *keys: Column) -> Column:
    """Standard normal, cut at 3 (Box and Muller 1958)."""
    radius = F.sqrt(-2 * F.log(uniform(seed, purpose + ".radius", *keys)))
    drawn = radius * F.cos(2 * math.pi * uniform(seed, purpose + ".angle", *keys))
    return F.least(F.lit(3.0), F.greatest(F.lit(-3.0), drawn))


def bits(hash_column: Column, shift: int, modulus: int) -> Column:
    """A whole number from 0 to modulus - 1 out of some bits of a hash; modulus far below 2**20, or else uneven."""
    return (F.shiftrightunsigned(hash_column, shift).bitwiseAND(F.lit((1 << 20) - 1)) % modulus).cast("int")


def spread(phase: Column, index: Column, step: float) -> Column:
    """The index-th point of an evenly filling sequence on [0, 1): successive draws avoid each other (Kronecker)."""
    point = phase + index * F.lit(step)
    return point - F.floor(point)


def zipf_rank(point: Column, count: int, exponent: float = 0.8) -> Column:
    """A rank from 0 to count - 1 by the inverse of the continuous Zipf distribution, exponent below 1."""
    power = 1 - exponent
    x = F.pow(1 + point * F.lit((count + 1) ** power - 1), F.lit(1 / power))
    return F.least(F.lit(count - 1), (F.floor(x) - 1).cast("int"))


def before(index: Column, count: Column, total: Column) -> Column:
    """How many of `count` things, spread evenly over `total` places, lie in the places below `index`."""
    return F.floor(index.cast("bigint") * count / F.greatest(total, F.lit(1))).cast("int")


def allotted(index: Column, count: Column, total: Column) -> Column:
    """How many of `count` things, spread evenly over `total` places, lie in place `index`: exact in sum."""
    return before(index + 1, count, total) - before(index, count, total)


def turned(index: Column, phase: Column, total: Column) -> Column:
    """The place `index` moves to when the places are turned like a wheel by the share `phase`."""
    return ((index + F.floor(phase * total)) % F.greatest(total, F.lit(1))).cast("int")


def numbers_below(count: Column) -> Column:
    """A generator of one row per number from 0 to count - 1, or of one row with null where count is 0.

    Its outer form keeps Spark from inferring `size > 0` and pushing that, with all that `count` is computed from, down
    to the range of users: every level would repeat the expressions of the one below until none can be compiled.
    """
    return F.explode_outer(F.when(count > 0, F.sequence(F.lit(0), count - 1)))
