"""Who went from which segment to which since the published run, as a matrix."""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass

from segspark.bi.config import ReportConfig
from segspark.bi.report.changes import Label, segment_label
from segspark.bi.report.colours import ABOVE, FULL_TINT, WHITE, mix
from segspark.bi.report.content import RunRows, Scheme
from segspark.core.words import NOTHING, number, percent

FEW = "under {}"


@dataclass(frozen=True)
class Went:
    """Users of one earlier segment in one segment of now."""

    users: str
    share: str  # of the earlier segment
    tint: str
    is_same: bool


@dataclass(frozen=True)
class Row:
    """An earlier segment, or None for users who were in none."""

    label: Label | None
    users: str
    cells: tuple[Went, ...]  # by the matrix's columns, then those who left


@dataclass(frozen=True)
class Matrix:
    """A scheme's users by segment then and segment now."""

    title: str
    columns: tuple[Label, ...]
    rows: tuple[Row, ...]


def matrices(rows: RunRows, schemes: Sequence[Scheme], config: ReportConfig) -> list[Matrix]:
    """One for each scheme that the published run had and in which anybody moved, came or went."""
    if rows.before is None:
        return []
    there = {row["scheme"] for row in rows.before["segments"]}
    moved = {row["scheme"] for row in rows.moved}
    return [_matrix(scheme, rows, config) for scheme in schemes if scheme.name in there & moved]


def _matrix(scheme: Scheme, rows: RunRows, config: ReportConfig) -> Matrix:
    assert rows.before is not None
    before = {row["segment_id"]: row for row in rows.before["segments"] if row["scheme"] == scheme.name}
    now = {row["segment_id"]: row for row in rows.segments if row["scheme"] == scheme.name}
    went = _counts(scheme, rows, {segment_id: row["size"] for segment_id, row in now.items()})
    ends = [*sorted(now), None]
    starts = [*sorted(set(before) | {start for start, _ in went if start is not None}), None]
    told = []
    for start in starts:
        users = [went[start, end] for end in ends]
        if sum(users):
            cells = tuple(
                _went(n, sum(users), start, end, config.min_group) for n, end in zip(users, ends, strict=True)
            )
            label = segment_label(scheme.mark, before[start], config) if start in before else None
            told.append(Row(label, _told(sum(users), config.min_group), cells))
    columns = tuple(segment_label(scheme.mark, now[segment_id], config) for segment_id in sorted(now))
    return Matrix(scheme.title, columns, tuple(told))


def _counts(scheme: Scheme, rows: RunRows, sizes: dict[int, int]) -> Counter[tuple[int | None, int | None]]:
    """Users by segment then and now. Who is in no row of segment_changes stayed."""
    went: Counter[tuple[int | None, int | None]] = Counter()
    for row in rows.moved:
        if row["scheme"] == scheme.name:
            went[row["from_segment"], row["to_segment"]] += row["users"]
    arrived: Counter[int | None] = Counter()
    for (_, end), users in went.items():
        arrived[end] += users
    for segment_id, size in sizes.items():
        went[segment_id, segment_id] += size - arrived[segment_id]
    return went


def _went(users: int, of: int, start: int | None, end: int | None, min_group: int) -> Went:
    if users == 0:
        return Went(NOTHING, "", WHITE, False)
    if users < min_group:
        return Went(FEW.format(min_group), "", WHITE, start == end)
    share = users / of
    return Went(number(users), percent(share), mix(WHITE, ABOVE, FULL_TINT * share**0.5), start == end)


def _told(users: int, min_group: int) -> str:
    return number(users) if users >= min_group else FEW.format(min_group)
