"""From what the report says to one HTML file: one script of its own, no network, every name escaped."""

from dataclasses import dataclass
from importlib import resources
from typing import Any

import vl_convert
from jinja2 import Environment, FunctionLoader, StrictUndefined
from markupsafe import Markup

from segspark.bi import wording
from segspark.bi.config import ReportConfig
from segspark.bi.report import figures, story
from segspark.bi.report.campaign.demand import demand_of
from segspark.bi.report.campaign.effects import UNKNOWN, effects_of
from segspark.bi.report.campaign.plan import plan_of
from segspark.bi.report.campaign.strategy import strategy_of
from segspark.bi.report.candidates import MEASURES, Candidates, candidates_of
from segspark.bi.report.changes import MOVES, changes, drift_in_words
from segspark.bi.report.charts.drawing import Chart, specs_as_json
from segspark.bi.report.content import RunRows, Scheme, schemes
from segspark.bi.report.examples import examples
from segspark.bi.report.migration import matrices
from segspark.bi.report.script import page_script, policy
from segspark.core import words


@dataclass(frozen=True)
class Choice:
    """How a scheme's segments were chosen."""

    scheme: Scheme
    candidates: Candidates
    curves: list[Chart]
    tree: Chart | None


def render_page(rows: RunRows, config: ReportConfig) -> str:
    """The whole page."""
    found = schemes(rows, config)
    judged = story.judged(rows)
    maps = [figures.map_of_users(scheme, number, config) for number, scheme in enumerate(found, 1)]
    choices = [choice for number, scheme in enumerate(found, 1) if (choice := _choice(scheme, number, rows, config))]
    judged_figures, seconds_figure = figures.metrics_figures(judged), figures.seconds_figure(rows.stages)
    changed = changes(rows, found, config)
    checks = sorted(rows.quality, key=lambda row: (row["source"], row["check"]))
    shown = {measure.name for choice in choices for measure in choice.candidates.measures}
    drawn = [*maps, *(chart for choice in choices for chart in (*choice.curves, choice.tree))]
    plan = plan_of(rows, found, config)
    effects = effects_of(rows, found, config)
    effects_figure = figures.effects_figure(effects)
    drawn += [*judged_figures, effects_figure, seconds_figure]
    script = page_script()
    return (
        _environment()
        .get_template("report.html.j2")
        .render(
            title=words.neutral(config.title),
            css=Markup(_read("report.css")),
            policy=policy(script),
            script=script,
            charts=specs_as_json({chart.name: chart.spec for chart in drawn if chart}),
            vega_version=vl_convert.get_vega_version(),
            rows=rows,
            min_group=config.min_group,
            headlines=story.headlines(rows, found),
            sentences=story.sentences(rows, found, plan.told),
            schemes=list(zip(found, maps, strict=True)),
            examples=examples(rows, found, config),
            choices=choices,
            measures=[measure for measure in MEASURES if measure.name in shown],
            changes=changed,
            moves=MOVES,
            matrices=matrices(rows, found, config),
            drift=drift_in_words(changed) if changed else "",
            judged=judged,
            judged_figures=judged_figures,
            about_recommendations=story.about_recommendations(rows),
            plan=plan,
            effects=effects,
            effects_figure=effects_figure,
            effects_unknown=UNKNOWN,
            strategy=strategy_of(rows, found, config),
            demand=demand_of(rows),
            failed=[row for row in checks if not row["passed"]],
            passed=[row for row in checks if row["passed"] and row["bound"] is not None],
            facts=[row for row in checks if row["passed"] and row["bound"] is None],
            left_out=story.left_out(rows),
            dropped=[row for row in rows.selection if not row["kept"]],
            seconds_figure=seconds_figure,
            about_stages=story.about_stages(rows),
            details=next(iter(rows.stages), None),
        )
    )


def _choice(scheme: Scheme, number: int, rows: RunRows, config: ReportConfig) -> Choice | None:
    candidates = candidates_of(scheme)
    if candidates is None:
        return None
    tree = figures.tree_of_groups(scheme, number, rows, config)
    return Choice(scheme, candidates, figures.curves(scheme, number), tree)


def _environment() -> Environment:
    environment = Environment(
        loader=FunctionLoader(_read), autoescape=True, undefined=StrictUndefined, trim_blocks=True, lstrip_blocks=True
    )
    filters: dict[str, Any] = {
        **{name: getattr(words, name) for name in ("number", "percent", "neutral", "feature_label")},
        **{
            name: getattr(wording, name)
            for name in ("day", "counted", "amount", "metric_label", "reasons", "method_name")
        },
    }
    environment.filters.update(filters)
    return environment


def _read(name: str) -> str:
    """A file of this package, also from inside a zip."""
    return resources.files("segspark.bi.report").joinpath(name).read_text("utf-8")
