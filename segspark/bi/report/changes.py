"""What differs from the run that was published before: who moved and why, what became of segments, what drifted."""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass

from segspark.bi.config import ReportConfig
from segspark.bi.report.colours import segment_colour, text_colour
from segspark.bi.report.content import Row, RunRows, Scheme
from segspark.bi.wording import counted
from segspark.core.words import NOTHING, feature_label, neutral, number, percent

KINDS = {
    "same": "goes on as",
    "split": "became in part",
    "merge": "merged into",
    "born": "new",
    "ended": "ended",
}


@dataclass(frozen=True)
class Moves:
    """Who moved in one scheme."""

    title: str
    model: str
    cells: tuple[str, ...]  # of MOVES


MOVES = (
    ("In both runs", "Users who are in a segment then and now"),
    ("Moved by behaviour", "The earlier model, too, would place them elsewhere today: they act in another way"),
    ("Moved by a refit", "The earlier model would leave them where they were: the borders moved, not they"),
    ("New", "Users who were in no segment then"),
    ("Gone", "Users who are in no segment now"),
)


@dataclass(frozen=True)
class Label:
    """A segment as it is called in one of the two runs."""

    badge: str
    name: str
    colour: str
    ink: str


@dataclass(frozen=True)
class Link:
    """What became of one segment."""

    before: Label | None
    now: Label | None
    kind: str
    is_news: bool  # whether anything but the number of its users changed
    overlap: str


@dataclass(frozen=True)
class Lineage:
    """What became of a scheme's segments."""

    title: str
    links: tuple[Link, ...]

    @property
    def is_same(self) -> bool:
        """Whether every segment goes on under its name."""
        return not self.news

    @property
    def news(self) -> list[Link]:
        """What is not merely the same segment under the same name."""
        return [link for link in self.links if link.is_news]


@dataclass(frozen=True)
class Drifted:
    """A feature whose values lie otherwise than in the published run."""

    label: str
    index: str
    bound: str


@dataclass(frozen=True)
class Changes:
    """All that differs."""

    run_id: str
    moves: tuple[Moves, ...]
    lineages: tuple[Lineage, ...]
    drifted: tuple[Drifted, ...]
    features: int  # compared


def changes(rows: RunRows, schemes: Sequence[Scheme], config: ReportConfig) -> Changes | None:
    """What differs from the published run; None where there was none."""
    if rows.before is None:
        return None
    links = {scheme.name: _links(scheme, rows, config) for scheme in schemes}
    drifted = sorted((row for row in rows.drift if row["drifted"]), key=lambda row: (-row["psi"], row["feature"]))
    return Changes(
        run_id=neutral(rows.before["run_id"]),
        moves=tuple(_moves(scheme, rows) for scheme in schemes),
        lineages=tuple(Lineage(scheme.title, links[scheme.name]) for scheme in schemes if links[scheme.name]),
        drifted=tuple(Drifted(feature_label(r["feature"]), number(r["psi"]), number(r["bound"])) for r in drifted),
        features=len(rows.drift),
    )


def moved_share(scheme: Scheme, rows: RunRows) -> float | None:
    """Of the users in both runs, the share in another segment than before; None for a scheme that is new."""
    if not _was_there(scheme, rows):
        return None
    users = _by_cause(scheme, rows)
    in_both = scheme.users - users["new"]
    return (users["behaviour"] + users["refit"]) / in_both if in_both else None


def _moves(scheme: Scheme, rows: RunRows) -> Moves:
    if not _was_there(scheme, rows):
        return Moves(scheme.title, "not in the published run", (NOTHING,) * len(MOVES))
    users = _by_cause(scheme, rows)
    in_both = scheme.users - users["new"]
    moved = [_with_share(users[cause], in_both) for cause in ("behaviour", "refit")]
    rest = [number(users[cause]) for cause in ("new", "gone")]
    model = "fitted anew" if scheme.fitted_in == neutral(rows.run_id) else "as published"
    return Moves(scheme.title, model if scheme.fitted_in else NOTHING, (number(in_both), *moved, *rest))


def _with_share(users: int, of: int) -> str:
    return f"{number(users)} ({percent(users / of)})" if users and of else number(users)


def _was_there(scheme: Scheme, rows: RunRows) -> bool:
    return rows.before is not None and any(row["scheme"] == scheme.name for row in rows.before["segments"])


def _by_cause(scheme: Scheme, rows: RunRows) -> Counter[str]:
    users: Counter[str] = Counter()
    for row in rows.moved:
        users[row["cause"]] += row["users"] if row["scheme"] == scheme.name else 0
    return users


def _links(scheme: Scheme, rows: RunRows, config: ReportConfig) -> tuple[Link, ...]:
    assert rows.before is not None
    before = {row["segment_id"]: row for row in rows.before["segments"] if row["scheme"] == scheme.name}
    now = {row["segment_id"]: row for row in rows.segments if row["scheme"] == scheme.name}
    own = [row for row in rows.lineage if row["scheme"] == scheme.name]
    found = sorted(own, key=lambda row: (_last(row["to_segment"]), _last(row["from_segment"])))
    pairs = ((row, before.get(row["from_segment"]), now.get(row["to_segment"])) for row in found)
    return tuple(_link(scheme.mark, *pair, config) for pair in pairs)


def _link(mark: str, row: Row, before: Row | None, now: Row | None, config: ReportConfig) -> Link:
    is_small = any(segment is not None and segment["size"] < config.min_group for segment in (before, now))
    renamed = before is not None and now is not None and before["name"] != now["name"]
    kind = KINDS.get(row["kind"], neutral(row["kind"]))
    return Link(
        before=segment_label(mark, before, config) if before else None,
        now=segment_label(mark, now, config) if now else None,
        kind="goes on under a new name" if row["kind"] == "same" and renamed else kind,
        is_news=row["kind"] != "same" or renamed,
        overlap=NOTHING if is_small or row["kind"] in ("born", "ended") else percent(row["overlap"]),
    )


def segment_label(mark: str, row: Row, config: ReportConfig) -> Label:
    """What stands for a row of segments: its badge, name and colour."""
    colour, name = segment_colour(row["segment_id"], config.colours), neutral(row["name"])
    return Label(f"{mark}{row['segment_id']}", name[:1].upper() + name[1:], colour, text_colour(colour))


def _last(segment_id: int | None) -> tuple[bool, int]:
    return segment_id is None, segment_id or 0


def drift_in_words(found: Changes) -> str:
    """Whether the features drifted, in one sentence."""
    if not found.features:
        return "No feature was compared."
    if not found.drifted:
        return f"None of {counted(found.features, 'feature')} drifted: their values are spread as they were."
    return f"{len(found.drifted)} of {counted(found.features, 'feature')} drifted: their values are spread otherwise."
