"""What a scheme compares its users by: one vector per user, from the tables of one run."""

from collections.abc import Callable, Iterable
from dataclasses import dataclass, replace

from pyspark.sql import DataFrame
from pyspark.sql import functions as F

from segspark.core.contract import Contract
from segspark.core.contracts import PREPARED_FEATURES, USER_FACTORS, USER_FEATURES, USER_SIMILARITY
from segspark.core.errors import InputError
from segspark.segments.assign import assign
from segspark.segments.checks import check, look_at
from segspark.segments.columns import chosen_columns, raw_columns
from segspark.segments.config import SchemeConfig
from segspark.segments.graph import embed
from segspark.segments.methods.method import Everyone
from segspark.segments.methods.rules import RAW_COLUMNS
from segspark.segments.stability.alignment import turned
from segspark.segments.stability.reuse import Earlier, Spaces
from segspark.segments.vectors import unit_length

SOURCES = {"features": PREPARED_FEATURES, "factors": USER_FACTORS, "graph": USER_SIMILARITY, "raw": USER_FEATURES}
ABSENT = {
    "factors": "there are no user_factors; the stage factors makes them from orders or events",
    "graph": "there is no user_similarity; the stage similarity makes it from orders or events, for as many users as"
    " recommend.user_similarity_max_users allows",
}


@dataclass(frozen=True)
class Reader:
    """Reads a scheme's vectors."""

    read: Callable[[Contract], DataFrame]  # a table's rows of this run
    spaces: Spaces
    seed: int

    def everyone(self, name: str, scheme: SchemeConfig) -> Everyone:
        """The scheme's vectors, looked at. InputError where nothing can be fitted to them."""
        vectors = _shaped(self._vectors(scheme), self.spaces.now, scheme, name)
        facts = look_at(vectors)
        if facts.users == 0 and scheme.source != "features":
            raise InputError(_absence(scheme))
        check(facts, SOURCES[scheme.source].name, self._names(scheme))
        everyone = Everyone(vectors, facts.users)
        return replace(everyone, outside=self._outside(vectors)) if scheme.source == "graph" else everyone

    def expected(self, earlier: Earlier) -> DataFrame | None:
        """Where the earlier model would put everyone today: user_id, expected. None where it cannot tell."""
        if earlier.model is None or earlier.settings is None:
            return None
        vectors = self._as_before(earlier, earlier.settings)
        if vectors is None:
            return None
        shaped = _shaped(vectors, self.spaces.then, earlier.settings, "earlier")
        return assign(shaped, earlier.model).select("user_id", F.col("segment_id").alias("expected"))

    def _names(self, scheme: SchemeConfig) -> tuple[str, ...]:
        """Of a vector's numbers in order; none where they have no names, or where each depends on all others."""
        if scheme.unit_length:
            return ()
        if scheme.source == "raw":
            return RAW_COLUMNS[scheme.algorithm]
        return scheme.columns or self.spaces.now if scheme.source == "features" else ()

    def _vectors(self, scheme: SchemeConfig) -> DataFrame:
        table = self.read(SOURCES[scheme.source])
        if scheme.source == "raw":
            return raw_columns(table, RAW_COLUMNS[scheme.algorithm])
        if scheme.source == "graph":
            return embed(table, max(scheme.numbers), self.seed)
        return _as_features(table, "factors" if scheme.source == "factors" else "features")

    def _as_before(self, earlier: Earlier, settings: SchemeConfig) -> DataFrame | None:
        """Today's users in the space of the earlier model; a graph's is its own run's."""
        if settings.source == "graph":
            return None
        if settings.source == "raw":
            return self._vectors(settings)
        if settings.source == "factors":
            return turned(self._vectors(settings), earlier.rotation) if earlier.rotation else None
        column = "features" if self.spaces.is_same else "before"
        known = self.read(PREPARED_FEATURES).where(F.col(column).isNotNull())
        return None if known.isEmpty() else _as_features(known, column)

    def _outside(self, vectors: DataFrame) -> int:
        """Users, bots left out, who have no vector."""
        people = self.read(USER_FEATURES).where(~F.coalesce("is_bot", F.lit(False)))
        return people.join(vectors, on="user_id", how="left_anti").count()


def _as_features(table: DataFrame, column: str) -> DataFrame:
    return table.select("user_id", F.col(column).alias("features"))


def _shaped(vectors: DataFrame, names: Iterable[str], scheme: SchemeConfig, name: str) -> DataFrame:
    """The scheme's columns with their weights, of length 1 where it wants that."""
    if scheme.source == "features":
        vectors = chosen_columns(vectors, list(names), scheme, f"segments.{name}")
    return unit_length(vectors) if scheme.unit_length else vectors


def _absence(scheme: SchemeConfig) -> str:
    if scheme.source == "raw":
        return f"nobody has {', '.join(RAW_COLUMNS[scheme.algorithm])}; orders or events bring them"
    return ABSENT[scheme.source]
