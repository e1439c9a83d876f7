"""What must be true of the vectors before anything is fitted to them."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from pyspark.sql import Column, DataFrame
from pyspark.sql import functions as F

from segspark.core.errors import ConfigError, InputError
from segspark.segments.config import SchemeConfig
from segspark.segments.methods.method import Params

STAGES = {"user_factors": "factors", "user_similarity": "similarity"}  # that make a table; features make the others
NAMED = 3  # broken columns that a message names


@dataclass(frozen=True)
class VectorFacts:
    """One pass over everyone's vectors."""

    users: int
    shortest: int  # numbers in a vector
    longest: int
    broken: int  # users with a number that is missing, NaN or infinite
    all_equal: bool
    places: tuple[int, ...] = ()  # of such numbers, from 0; none where whole vectors are missing


def look_at(vectors: DataFrame) -> VectorFacts:
    """Counts what could go wrong. `vectors` has user_id and features."""
    size, digest = F.coalesce(F.size("features"), F.lit(0)), F.xxhash64("features")
    (row,) = vectors.agg(
        F.count(F.lit(1)).alias("users"),
        F.min(size).alias("shortest"),
        F.max(size).alias("longest"),
        F.count_if(F.coalesce(F.exists("features", _is_bad), F.lit(True))).alias("broken"),
        (F.min(digest) == F.max(digest)).alias("all_equal"),
    ).collect()
    sizes, places = (row["shortest"] or 0, row["longest"] or 0), _bad_places(vectors) if row["broken"] else ()
    return VectorFacts(row["users"], *sizes, row["broken"], bool(row["all_equal"]), places)


def _is_bad(value: Column) -> Column:
    return value.isNull() | F.isnan(value) | (F.abs(value) == F.lit(float("inf")))


def _bad_places(vectors: DataFrame) -> tuple[int, ...]:
    numbers = vectors.select(F.posexplode("features").alias("place", "value"))
    bad = numbers.where(_is_bad(F.col("value"))).select("place").distinct()
    return tuple(sorted(row["place"] for row in bad.collect()))


def check(facts: VectorFacts, table: str, names: Sequence[str] = ()) -> None:
    """InputError where no segments can be told apart, or a vector cannot be measured.

    `names` are those of a vector's numbers in order; none where they have no names.
    """
    if facts.users < 2:
        had = "no users" if facts.users == 0 else "one user only"
        raise InputError(f"{table}: {had}; segments need at least 2 users who differ; look at quarantine and as_of")
    if facts.broken:
        stage = STAGES.get(table, "features")
        raise InputError(
            f"{table}: {facts.broken} of {facts.users} users have a number that is missing, NaN or infinite"
            f"{_named(facts.places, names)}; make the table again by `segspark run --only {stage}`, then go on by"
            " `segspark run --resume`"
        )
    if facts.shortest != facts.longest or facts.shortest == 0:
        raise InputError(
            f"{table}: vectors have {facts.shortest} to {facts.longest} numbers; all need the same, at least 1"
        )
    if facts.all_equal:
        raise InputError(
            f"{table}: all {facts.users} users have the same features; nothing tells segments apart; map more columns"
        )


def _named(places: Sequence[int], names: Sequence[str]) -> str:
    found = [names[place] for place in places if place < len(names)]
    more = f" and {len(found) - NAMED} more" if len(found) > NAMED else ""
    return f" in {', '.join(found[:NAMED])}{more}" if found else ""


def possible(candidates: list[Params], points: np.ndarray, config: SchemeConfig, path: str) -> list[Params]:
    """The candidates that ask for no more segments than the sample has distinct points. ConfigError where all do."""
    most = len(np.unique(points, axis=0))
    allowed = [params for params in candidates if params.get("k", 1) <= most]
    if not allowed:
        key = f"{path}.k" if config.k != "auto" else f"{path}.k_range"
        least = int(min(params["k"] for params in candidates))
        raise ConfigError(
            f"{key}: {least} segments need {least} users who differ; there are {most} among {len(points)} users;"
            f" choose {most} or fewer" + ("" if config.k == "auto" else ", or auto")
        )
    return allowed
