"""From what the report says to one HTML file: no script, no network, every name escaped."""

from collections.abc import Sequence
from dataclasses import dataclass
from importlib import resources
from typing import Any

from jinja2 import Environment, FunctionLoader, StrictUndefined
from markupsafe import Markup

from segspark.bi import wording
from segspark.bi.config import ReportConfig
from segspark.bi.report import charts, story
from segspark.bi.report.candidates import MEASURES, Candidates, Measure, candidates_of, in_order
from segspark.bi.report.changes import MOVES, changes, drift_in_words
from segspark.bi.report.content import Row, RunRows, Scheme, schemes
from segspark.bi.report.dendrogram import Tree, tree_of
from segspark.core import words

CURVES = {
    "prediction_strength": "Higher is better; above 0.8 the segments are found again in a refit",
    "calinski_harabasz": "Higher is better: apart from each other, close within",
    "silhouette": "Higher is better, 1 at most: nearer to the own centre than to the next",
    "davies_bouldin": "Lower is better: spread within against distance between",
}


@dataclass(frozen=True)
class Figure:
    """A picture with the heading that says what it shows, and the text under it."""

    title: str
    svg: Markup
    caption: str


@dataclass(frozen=True)
class Choice:
    """How a scheme's segments were chosen."""

    scheme: Scheme
    candidates: Candidates
    curves: list[Figure]
    tree: Figure | None


def render_page(rows: RunRows, config: ReportConfig) -> str:
    """The whole page."""
    found = schemes(rows, config)
    judged = story.judged(rows)
    choices = [choice for number, scheme in enumerate(found, 1) if (choice := _choice(scheme, number, rows, config))]
    changed = changes(rows, found, config)
    checks = sorted(rows.quality, key=lambda row: (row["passed"], row["source"], row["check"]))
    shown = {measure.name for choice in choices for measure in choice.candidates.measures}
    template = _environment().get_template("report.html.j2")
    return template.render(
        title=words.neutral(config.title),
        css=Markup(_read("report.css")),
        rows=rows,
        min_group=config.min_group,
        headlines=story.headlines(rows, found),
        sentences=story.sentences(rows, found),
        schemes=[(scheme, _map(scheme, number)) for number, scheme in enumerate(found, 1)],
        choices=choices,
        measures=[measure for measure in MEASURES if measure.name in shown],
        changes=changed,
        moves=MOVES,
        drift=drift_in_words(changed) if changed else "",
        judged=judged,
        judged_figure=_metrics_figure(judged),
        about_recommendations=story.about_recommendations(rows),
        checks=[row for row in checks if _is_judged(row)],
        facts=[row for row in checks if not _is_judged(row)],
        left_out=story.left_out(rows),
        dropped=[row for row in rows.selection if not row["kept"]],
        details=next(iter(rows.stages), None),
    )


def _is_judged(check: Row) -> bool:
    return check["bound"] is not None or not check["passed"]


def _map(scheme: Scheme, number: int) -> Figure | None:
    """The map of users, where there is a place for at least one centre."""
    placed = [segment for segment in scheme.shown if segment.centre]
    if not placed:
        return None
    names = ", ".join(f"{s.badge} {s.title} at {s.centre[0]:.1f}, {s.centre[1]:.1f}" for s in placed if s.centre)
    far = charts.outside(scheme.points, placed)
    caption = (
        f"Each dot is one of {wording.counted(len(scheme.points), 'user')} drawn evenly from all; those who act alike"
        " lie close together. Badges mark the centres of the segments. The axes are the two directions in which users"
        " differ most (principal components), without unit."
    )
    if far:
        caption += f" {wording.counted(far, 'user')} far from the others lie outside the frame."
    title = f"Map of users: {scheme.title.lower()}"
    svg = charts.user_map(f"map-{number}", title, f"Centres of the segments: {names}.", scheme.points, placed)
    return Figure(title, svg, caption)


def _choice(scheme: Scheme, number: int, rows: RunRows, config: ReportConfig) -> Choice | None:
    candidates = candidates_of(scheme)
    if candidates is None:
        return None
    tree = tree_of(rows.trees, scheme.name)
    figure = _tree_figure(scheme, number, tree, rows.run_id, config.min_group) if tree else None
    return Choice(scheme, candidates, _curves(scheme, number), figure)


def _curves(scheme: Scheme, number: int) -> list[Figure]:
    """A curve per measure by the number of segments, where each number was tried once and there are several."""
    models = in_order(scheme.models)
    sizes = [model["k"] for model in models]
    if len(sizes) < 2 or len(set(sizes)) < len(sizes):
        return []
    titles = {measure.name: measure for measure in MEASURES}
    told = [name for name in CURVES if any(model[name] is not None for model in models)]
    return [_curve(f"k-{number}-{name}", titles[name], models) for name in told]


def _curve(name: str, measure: Measure, models: Sequence[Row]) -> Figure:
    points = [(model["k"], model[measure.name]) for model in models if model[measure.name] is not None]
    sizes, values = [k for k, _ in points], [value for _, value in points]
    chosen = next((model["k"] for model in models if model["chosen"]), None)
    told = ", ".join(f"{k}: {words.number(value)}" for k, value in points)
    title, description = f"{measure.title} by number of segments", f"By number of segments {told}."
    svg = charts.candidate_curve(name, title, description, sizes, values, chosen)
    return Figure(measure.title, svg, CURVES[measure.name])


def _tree_figure(scheme: Scheme, number: int, tree: Tree, run_id: str, min_group: int) -> Figure:
    """The dendrogram, with what to read from it."""
    badges = {segment.segment_id: f"{segment.badge} {segment.title}" for segment in scheme.shown}
    order = [badges.get(segment_id, "a segment too small to be described") for segment_id in tree.segments]
    caption = (
        "Read from right to left. At the right edge stand groups of users who are nearly alike, with how many they are."
        " Lines meet where two groups are joined: near the right edge they are alike, far to the left they differ much."
    )
    if tree.cut is not None:
        caption += " The dashed line is the cut: what is joined to its right is one segment, in the segment's colour."
    if scheme.fitted_in not in (None, run_id):
        caption += f" The tree is that of run {scheme.fitted_in}, whose model serves again, with the users of then."
    description = f"From one end to the other the segments are {', '.join(order)}."
    title = f"How users join into groups: {scheme.title.lower()}"
    svg = charts.dendrogram(f"tree-{number}", title, description, tree, scheme.shown, min_group)
    return Figure(title, svg, caption)


def _metrics_figure(judged: Sequence[Row]) -> Figure | None:
    drawn = [row for row in judged if row["metric"] in story.DRAWN_METRICS]
    if not drawn:
        return None
    several = len({row["method"] for row in drawn}) > 1
    if several:  # one metric of each, so that they can be compared
        drawn = [row for row in drawn if row["metric"] == drawn[0]["metric"]]
    names = [(_metric_name(row), words.neutral(row["method"])) if several else (_metric_name(row),) for row in drawn]
    told = "; ".join(
        f"{', '.join(name)} {words.number(row['value'])}, bestsellers {words.number(row['popularity_value'])}"
        for name, row in zip(names, drawn, strict=True)
    )
    title = "Recommendations against showing everyone the bestsellers"
    svg = charts.metric_intervals("metrics", title, told + ".", ["\n".join(name) for name in names], drawn)
    caption = (
        "Disc: recommendations, with the 95% interval over users as a bar. Diamond: the bestsellers. Right is better."
    )
    return Figure(title, svg, caption)


def _metric_name(row: Row) -> str:
    return wording.metric_words(row["metric"])


def _environment() -> Environment:
    environment = Environment(
        loader=FunctionLoader(_read), autoescape=True, undefined=StrictUndefined, trim_blocks=True, lstrip_blocks=True
    )
    filters: dict[str, Any] = {
        **{name: getattr(words, name) for name in ("number", "percent", "neutral", "feature_label")},
        **{name: getattr(wording, name) for name in ("day", "counted", "amount", "metric_label", "reasons")},
    }
    environment.filters.update(filters)
    return environment


def _read(name: str) -> str:
    """A file of this package, also from inside a zip."""
    return resources.files("segspark.bi.report").joinpath(name).read_text("utf-8")
