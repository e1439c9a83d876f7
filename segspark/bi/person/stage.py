"""All that a terminal shows of the lake: one user, and the segments of a run."""

from __future__ import annotations

from collections.abc import Callable, Sequence

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
)
from segspark.core.errors import InputError
from segspark.core.reader import Reader, Row
from segspark.core.words import neutral


def segment_summary(lake: Reader, run_id: str) -> RenderableType:
    """The run's segments for the terminal."""
    return show_segments(run_id, lake.rows_of_run(SEGMENTS, run_id))


def user_card(lake: Reader, run_id: str, user_id: str) -> RenderableType:
    """All that the run knows of one user: features, segments and why, recommendations and why, the nearest users.

    Raises InputError where no table of the run knows the user.
    """

    def known(contract: Contract) -> list[Row]:
        return lake.rows_of_user(contract, run_id, user_id)

    features, memberships = known(USER_FEATURES), known(USER_SEGMENTS)
    items = sorted(known(RECOMMENDATIONS), key=lambda row: (row.method, row.rank))
    near = sorted(known(USER_SIMILARITY), key=lambda row: row.method)
    if not (features or memberships or items or near):
        raise InputError(f"user: {neutral(user_id)} is not in run {run_id}; ids are told apart by case and spaces")
    segments = lake.rows_of_run(SEGMENTS, run_id)
    told = _with_reasons(memberships, segments)
    return show_user(user_id, features, told, items, near, _pulls(lake, run_id, known, told, features, segments))


def _with_reasons(memberships: Sequence[Row], segments: Sequence[Row]) -> list[Row]:
    """The memberships, of `value` first, with why the segment has its name and what to do."""
    reasons = {(row.scheme, row.segment_id): {"why": row.why, "strategy": row.strategy} for row in segments}
    nothing = {"why": None, "strategy": None}
    told = [Row({**row, **reasons.get((row.scheme, row.segment_id), nothing)}) for row in memberships]
    return sorted(told, key=lambda row: (row.scheme != "value", row.scheme))


def _pulls(
    lake: Reader,
    run_id: str,
    known: Callable[[Contract], list[Row]],
    memberships: Sequence[Row],
    features: Sequence[Row],
    segments: Sequence[Row],
) -> dict[str, str]:
    """By scheme, what pulls the user to their segment; only where the prepared features explain it."""
    point = known(PREPARED_FEATURES)
    if not (point and features):
        return {}
    selected = [row for row in lake.rows_of_run(FEATURE_SELECTION, run_id) if row.place is not None]
    names = [row.feature for row in sorted(selected, key=lambda row: row.place)]
    profiles = lake.rows_of_run(SEGMENT_PROFILES, run_id)
    told = {}
    for row in memberships:
        centres = [Segment(c.segment_id, c.name, c.centroid) for c in segments if c.scheme == row.scheme and c.centroid]
        found = pulls(point[0].features, names, row.segment_id, centres)
        means = {p.feature: p["mean"] for p in profiles if (p.scheme, p.segment_id) == (row.scheme, row.segment_id)}
        if found is not None:
            told[row.scheme] = pull_in_words(found, features[0], means)
    return told
