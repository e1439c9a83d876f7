"""What the report says, computed from the run's rows before anything is drawn."""

import json
import math
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date
from typing import Any

from segspark.bi.config import ReportConfig
from segspark.bi.report.campaign.rows import CampaignRows
from segspark.bi.report.colours import lift_tint, segment_colour, text_colour
from segspark.bi.wording import times
from segspark.core.words import NOTHING, feature_label, feature_value, is_share, neutral, percent

Row = Mapping[str, Any]


@dataclass(frozen=True)
class RunRows:
    """The run's rows as the tables have them; bounded by segments, models, features, checks and the map's sample."""

    run_id: str
    as_of: date
    seed: int
    segments: Sequence[Row] = ()
    models: Sequence[Row] = ()
    profiles: Sequence[Row] = ()
    rules: Sequence[Row] = ()
    metrics: Sequence[Row] = ()
    quality: Sequence[Row] = ()
    sources: Sequence[Row] = ()  # one per source, with its rows
    reasons: Sequence[Row] = ()  # why rows are in quarantine
    stages: Sequence[Row] = ()  # what became of each stage
    selection: Sequence[Row] = ()  # which features the models see
    spending: Sequence[Row] = ()  # by scheme and segment; empty where no order is known
    trees: Sequence[Row] = ()  # arrays of the dendrograms of hierarchical schemes
    before: Row | None = None  # of the run that was published: run_id, as_of, and its `segments`
    moved: Sequence[Row] = ()  # users who moved since then, by scheme, segments and cause
    lineage: Sequence[Row] = ()  # what became of its segments
    drift: Sequence[Row] = ()  # features against it
    examples: Sequence[Row] = ()  # offers to a few users, each with the user's features, names of items, and no id
    samples: Mapping[str, Sequence[Row]] = field(default_factory=dict)  # users on the map, by scheme
    campaign: CampaignRows = field(default_factory=CampaignRows)


@dataclass(frozen=True)
class Rule:
    """One way to tell a segment's users."""

    text: str
    coverage: str  # of the segment, the share for whom it holds
    precision: str  # of those for whom it holds, the share in the segment


@dataclass(frozen=True)
class Segment:
    """One segment as the page shows it. Of a small group nothing but its existence is told."""

    segment_id: int
    badge: str  # the mark that stands for it on maps and in tables
    name: str
    is_small: bool
    size: int
    share: float
    why: str
    rules: tuple[Rule, ...]  # how to tell its users, the rules that cover most of them
    strategy: str
    spending_share: float | None
    centre: tuple[float, float] | None
    colour: str
    ink: str  # of text on the colour

    @property
    def title(self) -> str:
        """The name as it begins a line."""
        return self.name[:1].upper() + self.name[1:]


@dataclass(frozen=True)
class Cell:
    """One feature of one segment."""

    value: str
    lift: str
    tint: str


@dataclass(frozen=True)
class ProfileRow:
    """One feature against all users."""

    label: str
    overall: str
    cells: tuple[Cell, ...]


@dataclass(frozen=True)
class Scheme:
    """One way to divide the users."""

    name: str
    mark: str  # what the badges of its segments begin with
    title: str
    question: str  # what the scheme answers, for a reader
    users: int
    segments: tuple[Segment, ...]
    profile: tuple[ProfileRow, ...]
    features: int  # in segment_profiles, of which the profile shows the most telling
    models: tuple[Row, ...]
    points: tuple[Row, ...]

    @property
    def fitted_in(self) -> str | None:
        """The run whose users the model was fitted to, this one or one before it; None where it is not told."""
        params = next((model["params"] for model in self.models if model["chosen"]), None)
        told = json.loads(params).get("fitted_in") if params else None
        return None if told is None else neutral(told)

    @property
    def shown(self) -> list[Segment]:
        """The segments that are large enough to be described."""
        return [segment for segment in self.segments if not segment.is_small]


MAP_POINTS = 24_000  # on all maps together: more, and the page would not stay under 3 MB
RULES_SHOWN = 3  # of a segment
LEAST_SHARE = 0.001  # over all users, of a share in a profile
LEAST_COVERAGE = 0.05  # of the segment, for a rule to be shown beside its first
TITLES = {
    "value": ("Segments by value", "Who buys how much, how often and how lately?"),
    "taste": ("Segments by taste", "Who likes the same things?"),
}
# What a reader asks for first; a feature that tells segments apart more strongly follows.
FIRST_FEATURES = (
    "monetary", "frequency", "recency_days", "aov", "tenure_days", "items_per_order", "discount_share", "sessions",
    "new_product_share", "age", "income",
)  # fmt: skip


def schemes(rows: RunRows, config: ReportConfig) -> list[Scheme]:
    """The run's schemes: value first, then taste, then others by name."""
    ordered = in_reading_order({row["scheme"] for row in rows.segments})
    most_points = MAP_POINTS // max(len(ordered), 1)
    return [_scheme(name, mark, rows, config, most_points) for name, mark in zip(ordered, marks(ordered), strict=True)]


def in_reading_order(names: Collection[str]) -> list[str]:
    """Names of schemes: value first, then taste, then others by name."""
    return [name for name in TITLES if name in names] + sorted(set(names) - set(TITLES))


def marks(names: Sequence[str]) -> list[str]:
    """For each name its shortest beginning that no name before it took, so that no two segments share a badge."""
    taken: list[str] = []
    for name in map(neutral, names):
        beginnings = (name[:1].upper() + name[1:length] for length in range(1, len(name) + 1))
        taken.append(next((beginning for beginning in beginnings if beginning not in taken), name))
    return taken


def _scheme(name: str, mark: str, rows: RunRows, config: ReportConfig, most_points: int) -> Scheme:
    own = sorted((row for row in rows.segments if row["scheme"] == name), key=lambda row: row["segment_id"])
    segments = tuple(_segment(row, mark, rows, config) for row in own)
    visible = [segment for segment in segments if not segment.is_small]
    shown_ids = {segment.segment_id for segment in visible}
    profiles = [row for row in rows.profiles if row["scheme"] == name and row["segment_id"] in shown_ids]
    title, question = TITLES.get(name, (f"Segments by {neutral(name)}", ""))
    return Scheme(
        name=neutral(name),
        mark=mark,
        title=title,
        question=question,
        users=sum(segment.size for segment in segments),
        segments=segments,
        profile=_profile(profiles, visible, config.profile_features),
        features=len({row["feature"] for row in profiles}),
        models=tuple(row for row in rows.models if row["scheme"] == name),
        points=tuple(point for point in rows.samples.get(name, ())[:most_points] if point["segment_id"] in shown_ids),
    )


def _segment(row: Row, mark: str, rows: RunRows, config: ReportConfig) -> Segment:
    colour = segment_colour(row["segment_id"], config.colours)
    pca = row["pca"]
    return Segment(
        segment_id=row["segment_id"],
        badge=f"{mark}{row['segment_id']}",
        name=neutral(row["name"]),
        is_small=row["size"] < config.min_group,
        size=row["size"],
        share=row["share"],
        why=neutral(row["why"]),
        rules=_rules(row, rows.rules),
        strategy=neutral(row["strategy"]),
        spending_share=_spending_share(row, rows.spending),
        centre=(pca[0], pca[1]) if pca and len(pca) >= 2 else None,
        colour=colour,
        ink=text_colour(colour),
    )


def _rules(segment: Row, rules: Sequence[Row]) -> tuple[Rule, ...]:
    place = (segment["scheme"], segment["segment_id"])
    own = sorted((r for r in rules if (r["scheme"], r["segment_id"]) == place), key=lambda rule: rule["rule_no"])
    telling = [rule for number, rule in enumerate(own) if number == 0 or rule["coverage"] >= LEAST_COVERAGE]
    return tuple(
        Rule(neutral(rule["rule"]), percent(rule["coverage"]), percent(rule["precision"]))
        for rule in telling[:RULES_SHOWN]
    )


def _spending_share(segment: Row, spending: Sequence[Row]) -> float | None:
    by_segment = {row["segment_id"]: row["spending"] or 0.0 for row in spending if row["scheme"] == segment["scheme"]}
    total = sum(by_segment.values())
    return by_segment.get(segment["segment_id"], 0.0) / total if total > 0 else None


def _profile(profiles: Sequence[Row], segments: Sequence[Segment], size: int) -> tuple[ProfileRow, ...]:
    """The features that a reader asks for first, then those that tell the segments apart most."""
    by_feature: dict[str, dict[int, Row]] = {}
    for row in profiles:
        by_feature.setdefault(row["feature"], {})[row["segment_id"]] = row
    spread = {
        f: 0.0 if _is_next_to_nothing(f, cells) else _spread(list(cells.values())) for f, cells in by_feature.items()
    }
    first = [feature for feature in FIRST_FEATURES if spread.get(feature, 0) > 0]
    others = sorted((f for f in by_feature if f not in first and spread[f] > 0), key=lambda f: (-spread[f], f))
    rows = []
    for feature in (first + others)[:size]:
        cells = by_feature[feature]
        overall = next(iter(cells.values()))["overall_mean"]
        filled = tuple(_cell(feature, cells.get(segment.segment_id)) for segment in segments)
        rows.append(ProfileRow(feature_label(feature), feature_value(feature, overall), filled))
    return tuple(rows)


def _cell(feature: str, row: Row | None) -> Cell:
    if row is None:
        return Cell(NOTHING, NOTHING, lift_tint(None))
    return Cell(feature_value(feature, row["mean"]), times(row["lift"]), lift_tint(row["lift"]))


def _is_next_to_nothing(feature: str, cells: Mapping[int, Row]) -> bool:
    """Whether it is a share that hardly any user has: segments differ in it by a multiple of nothing."""
    overall = next(iter(cells.values()))["overall_mean"]
    return is_share(feature) and (overall is None or overall < LEAST_SHARE)


def _spread(cells: Sequence[Row]) -> float:
    """How far the feature tells segments apart: the range of log lift, one lift held to a 32nd and 32 times at most."""
    lifts = [row["lift"] for row in cells if row["lift"] is not None and math.isfinite(row["lift"])]
    logs = [math.log2(min(max(lift, 1 / 32), 32)) for lift in lifts]
    return max(logs) - min(logs) if logs else 0.0
