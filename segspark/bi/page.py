"""From what the report says to one HTML file: no script, no network, every name escaped."""

from collections.abc import Sequence
from dataclasses import dataclass
from importlib import resources
from typing import Any

from jinja2 import Environment, FunctionLoader, StrictUndefined
from markupsafe import Markup

from segspark.bi import charts, story, wording
from segspark.bi.config import ReportConfig
from segspark.bi.content import Row, RunRows, Scheme, schemes
from segspark.core import words

MEASURES = (
    (
        "prediction_strength",
        "Prediction strength",
        "Higher is better; above 0.8 the segments are found again in a refit",
    ),
    ("calinski_harabasz", "Calinski-Harabasz", "Higher is better: apart from each other, close within"),
    ("silhouette", "Silhouette", "Higher is better, 1 at most: nearer to the own centre than to the next"),
    ("davies_bouldin", "Davies-Bouldin", "Lower is better: spread within against distance between"),
)


@dataclass(frozen=True)
class Figure:
    """A picture with the heading that says what it shows, and the text under it."""

    title: str
    svg: Markup
    caption: str


@dataclass(frozen=True)
class Choice:
    """How the number of a scheme's segments was chosen."""

    scheme: Scheme
    chosen: Row | None
    curves: list[Figure]


def render_page(rows: RunRows, config: ReportConfig) -> str:
    """The whole page."""
    found = schemes(rows, config)
    judged = story.judged(rows)
    template = _environment().get_template("report.html.j2")
    return template.render(
        title=words.neutral(config.title),
        css=Markup(_read("report.css")),
        rows=rows,
        min_group=config.min_group,
        headlines=story.headlines(rows, found),
        sentences=story.sentences(rows, found),
        schemes=[(scheme, _map(scheme, number)) for number, scheme in enumerate(found, 1)],
        choices=[choice for number, scheme in enumerate(found, 1) if (choice := _choice(scheme, number)).curves],
        judged=judged,
        judged_figure=_metrics_figure(judged),
        about_recommendations=story.about_recommendations(rows),
        checks=sorted(rows.quality, key=lambda row: (row["passed"], row["source"], row["check"])),
        left_out=story.left_out(rows),
        dropped=[row for row in rows.selection if not row["kept"]],
        details=next(iter(rows.stages), None),
    )


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


def _choice(scheme: Scheme, number: int) -> Choice:
    chosen = next((model for model in scheme.models if model["chosen"]), None)
    curves = []
    for measure, title, meaning in MEASURES:
        models = [model for model in scheme.models if model[measure] is not None]
        if models:
            curves.append(_curve(f"k-{number}-{measure}", measure, title, meaning, models, chosen))
    return Choice(scheme, chosen, curves)


def _curve(name: str, measure: str, title: str, meaning: str, models: Sequence[Row], chosen: Row | None) -> Figure:
    sizes, values = [model["k"] for model in models], [model[measure] for model in models]
    told = ", ".join(f"{k}: {words.number(value)}" for k, value in zip(sizes, values, strict=True))
    svg = charts.candidate_curve(
        name, f"{title} by number of segments", f"By number of segments {told}.", sizes, values,
        chosen["k"] if chosen else None,
    )  # fmt: skip
    return Figure(title, svg, meaning)


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
        **{name: getattr(wording, name) for name in ("day", "counted", "metric_label", "reasons")},
    }
    environment.filters.update(filters)
    return environment


def _read(name: str) -> str:
    """A file of this package, also from inside a zip."""
    return resources.files("segspark.bi").joinpath(name).read_text("utf-8")
