"""Segments and single users in the terminal."""

from collections.abc import Mapping, Sequence
from typing import Any

from rich.console import Group, RenderableType
from rich.panel import Panel
from rich.table import Table
from rich.text import Text

from segspark.bi.wording import counted
from segspark.core.words import feature_label, feature_value, neutral, number, percent

NEIGHBOURS_SHOWN = 5  # the nearest users on a card
NO_FEATURES = {"user_id", "as_of", "user_bucket", "is_bot"}


def show_segments(run_id: str, rows: Sequence[Any]) -> RenderableType:
    """Rows of `segments`, one table per scheme: names, sizes, shares and why."""
    schemes = sorted({row.scheme for row in rows}, key=lambda scheme: (scheme != "value", scheme))
    if not schemes:
        return Text(f"Run {run_id} has no segments.")
    tables = [_segments(scheme, [row for row in rows if row.scheme == scheme]) for scheme in schemes]
    return Group(*tables)


def show_user(
    user_id: str,
    features: Sequence[Any],
    segments: Sequence[Any],
    items: Sequence[Any],
    near: Sequence[Any],
    reasons: Mapping[str, str],
) -> RenderableType:
    """One user's rows of user_features, of user_segments with `why`, of recommendations and of user_similarity.

    `reasons` say by scheme what pulls the user to their segment.
    """
    parts = [_memberships(segments, reasons), _features(features), _recommendations(items), _neighbours(near)]
    return Panel(Group(*(part for part in parts if part)), title=_plain(f"User {neutral(user_id)}"), title_align="left")


def _segments(scheme: str, rows: Sequence[Any]) -> Table:
    table = _table(f"Segments by {scheme}", "segment", "users", "share", "why")
    table.columns[1].justify = table.columns[2].justify = "right"
    for row in sorted(rows, key=lambda row: row.segment_id):
        _add(table, row.name, number(row.size), percent(row.share), row.why)
    return table


def _memberships(rows: Sequence[Any], reasons: Mapping[str, str]) -> RenderableType | None:
    if not rows:
        return Text("In no segment: models leave this user out.")
    table = _table(
        *("Segments", "scheme", "segment", "distance", "confidence"),
        *("why this user", "why the segment has its name", "what to do"),
    )
    for row in rows:
        place = (row.scheme, row.segment_name, number(row.distance), percent(row.confidence))
        _add(table, *place, reasons.get(row.scheme, ""), row.why, row.strategy)
    return table


def _features(rows: Sequence[Any]) -> RenderableType | None:
    if not rows:
        return None
    row = rows[0]
    notice = ", flagged as a bot: kept out of every model" if row["is_bot"] else ""
    table = _table(f"Features before {row['as_of']}{notice}", "feature", "value")
    table.columns[1].justify = "right"
    for name, value in row.items():
        if name not in NO_FEATURES and value is not None:
            shown = feature_value(name, value) if isinstance(value, float) else value
            _add(table, feature_label(name), shown)
    return table


def _recommendations(rows: Sequence[Any]) -> RenderableType | None:
    if not rows:
        return None
    table = _table("Recommendations", "rank", "item", "score", "method", "why")
    for row in rows:
        _add(table, row["rank"], row.item_id, number(row.score), row.method, row.reason)
    return table


def _neighbours(rows: Sequence[Any]) -> RenderableType | None:
    if not rows:
        return None
    table = _table("Most similar users", "user", "similarity", "method")
    for row in rows:
        for neighbour in (row.neighbours or [])[:NEIGHBOURS_SHOWN]:
            _add(table, neighbour["neighbour_id"], number(neighbour["similarity"]), row.method)
    more = sum(len(row.neighbours or []) for row in rows) - table.row_count
    table.caption = _plain(f"and {counted(more, 'other')}") if more > 0 else None
    return table


def _table(title: str, *columns: str) -> Table:
    table = Table(
        title=_plain(title), title_justify="left", title_style="bold", box=None, pad_edge=False, padding=(0, 2)
    )
    for column in columns:
        table.add_column(column, overflow="fold")
    return table


def _add(table: Table, *values: object) -> None:
    table.add_row(*(_plain(value) for value in values))


def _plain(value: object) -> Text:
    """Text without markup: what stands in square brackets in a name stays text."""
    return Text(neutral(value))
