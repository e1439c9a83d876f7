"""All that a terminal shows of the lake: one user, and the segments of a run."""

from collections.abc import Callable
from typing import Any

from pyspark.sql import DataFrame
from pyspark.sql import functions as F
from rich.console import RenderableType

from segspark.bi.person.pull import Segment, pull_in_words, pulls
from segspark.bi.person.terminal import show_segments, show_user
from segspark.core.contracts import (
    FEATURE_SELECTION,
    PREPARED_FEATURES,
    RECOMMENDATIONS,
    SEGMENT_PROFILES,
    SEGMENTS,
    USER_FEATURES,
    USER_SEGMENTS,
    USER_SIMILARITY,
    Contract,
    user_bucket,
)
from segspark.core.errors import InputError
from segspark.core.lake import Lake
from segspark.core.words import neutral


def segment_summary(lake: Lake, run_id: str) -> RenderableType:
    """The run's segments for the terminal."""
    rows = lake.read_run(SEGMENTS, run_id).select("scheme", "segment_id", "name", "size", "share", "why")
    return show_segments(run_id, rows.collect())


def user_card(lake: Lake, run_id: str, user_id: str) -> RenderableType:
    """All that the run knows of one user: features, segments and why, recommendations and why, the nearest users.

    Raises InputError where no table of the run knows the user.
    """
    known = look_up(lake, run_id, user_id)
    features = known(USER_FEATURES).collect()
    why = lake.read_run(SEGMENTS, run_id).select("scheme", "segment_id", "why", "strategy")
    memberships = known(USER_SEGMENTS).join(F.broadcast(why), on=["scheme", "segment_id"], how="left")
    segments = memberships.orderBy(F.col("scheme") != "value", "scheme").collect()
    items = known(RECOMMENDATIONS).orderBy("method", "rank").collect()
    near = known(USER_SIMILARITY).orderBy("method").collect()
    if not (features or segments or items or near):
        raise InputError(f"user: {neutral(user_id)} is not in run {run_id}; ids are told apart by case and spaces")
    reasons = _pulls(lake, run_id, known, segments, features)
    return show_user(user_id, features, segments, items, near, reasons)


def _pulls(
    lake: Lake, run_id: str, known: Callable[[Contract], DataFrame], memberships: list[Any], features: list[Any]
) -> dict[str, str]:
    """By scheme, what pulls the user to their segment; only where the prepared features explain it."""
    point = known(PREPARED_FEATURES).collect()
    names = lake.read_run(FEATURE_SELECTION, run_id).where("place IS NOT NULL").orderBy("place").collect()
    if not (point and features):
        return {}
    centres = lake.read_run(SEGMENTS, run_id).select("scheme", "segment_id", "name", "centroid").collect()
    profiles = lake.read_run(SEGMENT_PROFILES, run_id).select("scheme", "segment_id", "feature", "mean").collect()
    told = {}
    for row in memberships:
        segments = [Segment(c.segment_id, c.name, c.centroid) for c in centres if c.scheme == row.scheme and c.centroid]
        found = pulls(point[0].features, [name.feature for name in names], row.segment_id, segments)
        means = {p.feature: p.mean for p in profiles if (p.scheme, p.segment_id) == (row.scheme, row.segment_id)}
        if found is not None:
            told[row.scheme] = pull_in_words(found, features[0].asDict(), means)
    return told


def look_up(lake: Lake, run_id: str, user_id: str) -> Callable[[Contract], DataFrame]:
    """Reads one user's rows of the run's tables.

    The bucket prunes files by their statistics; the id itself stays in a row, out of plans and event logs.
    """
    asked = lake.spark.createDataFrame([(user_id,)], "user_id string")
    bucket = asked.select(user_bucket()).collect()[0][0]

    def rows(contract: Contract) -> DataFrame:
        of_bucket = lake.read_run(contract, run_id).where(F.col("user_bucket") == bucket)
        return of_bucket.join(F.broadcast(asked), on="user_id", how="left_semi")

    return rows
