"""The page's charts, each with the title that says what it shows and the sentence for those who do not see it."""

from collections.abc import Sequence
from typing import Any

from segspark.bi import wording
from segspark.bi.config import ReportConfig
from segspark.bi.report import story
from segspark.bi.report.campaign.effects import Effect, Effects
from segspark.bi.report.candidates import MEASURES, Measure, in_order
from segspark.bi.report.charts.curves import candidate_curve, with_taken
from segspark.bi.report.charts.drawing import Chart, chart
from segspark.bi.report.charts.effects import effect_intervals
from segspark.bi.report.charts.intervals import metric_intervals
from segspark.bi.report.charts.stages import stage_seconds
from segspark.bi.report.charts.tree import dendrogram
from segspark.bi.report.charts.users import frame, outside, user_map
from segspark.bi.report.content import Row, RunRows, Scheme
from segspark.bi.report.dendrogram import tree_of
from segspark.core import words

CURVES = {
    "prediction_strength": "Higher is better; above 0.8 the segments found in one half of the users hold in the other",
    "stability": "Higher is better, 1 at most: refits to 80% of the users agree",
    "silhouette": "Higher is better, 1 at most: nearer to the own centre than to the next",
    "davies_bouldin": "Lower is better: spread within against distance between",
}
POINTS = "Difference in points of a percentage"
COMPARED = ("ndcg_at_k", "coverage")  # of several recommenders


def map_of_users(scheme: Scheme, number: int, config: ReportConfig) -> Chart | None:
    """The map, where there is a place for at least one centre."""
    placed = [segment for segment in scheme.shown if segment.centre]
    if not placed:
        return None
    names = ", ".join(f"{s.badge} {s.title} at {s.centre[0]:.1f}, {s.centre[1]:.1f}" for s in placed if s.centre)
    limits = frame(scheme.points, placed)
    far = outside(scheme.points, limits)
    caption = (
        f"Each dot is one of {wording.counted(len(scheme.points), 'user')} drawn evenly from all; those who act alike"
        " lie close together. Badges mark the centres of the segments. The axes are the two directions in which users"
        " differ most (principal components), without unit."
    )
    if far:
        caption += f" {wording.counted(far, 'user')} far from the others lie outside the frame."
    spec = user_map(scheme.points, placed, limits, len(config.colours))
    title, description = f"Map of users: {scheme.title.lower()}", f"Centres of the segments: {names}."
    return chart(f"map-{number}", title, description, caption, spec, 440)


def curves(scheme: Scheme, number: int) -> list[Chart]:
    """A curve per measure by the number of segments, where each number was tried once and there are several."""
    models = in_order(scheme.models)
    sizes = [model["k"] for model in models]
    if len(sizes) < 2 or len(set(sizes)) < len(sizes):
        return []
    titles = {measure.name: measure for measure in MEASURES}
    told = [name for name in CURVES if any(model[name] is not None for model in models)]
    return [_curve(f"k-{number}-{name.replace('_', '-')}", titles[name], models) for name in told]


def _curve(name: str, measure: Measure, models: Sequence[Row]) -> Chart:
    points = [(model["k"], model[measure.name]) for model in models if model[measure.name] is not None]
    sizes, values = [k for k, _ in points], [value for _, value in points]
    shown = [words.number(value) for value in values]
    chosen = next((model["k"] for model in models if model["chosen"]), None)
    spec = with_taken(candidate_curve(measure.title, sizes, values, shown), chosen if chosen in sizes else None)
    told = ", ".join(f"{k}: {value}" for k, value in zip(sizes, shown, strict=True))
    title = f"{measure.title} by number of segments"
    return chart(name, title, f"By number of segments {told}.", CURVES[measure.name], spec, 230)


def tree_of_groups(scheme: Scheme, number: int, rows: RunRows, config: ReportConfig) -> Chart | None:
    """The dendrogram of a hierarchical scheme, with what to read from it."""
    tree = tree_of(rows.trees, scheme.name)
    if tree is None:
        return None
    badges = {segment.segment_id: f"{segment.badge} {segment.title}" for segment in scheme.shown}
    order = [badges.get(segment_id, "a segment too small to be described") for segment_id in tree.segments]
    caption = (
        "Read from right to left. At the right edge stand groups of users who are nearly alike, with how many they are."
        " Lines meet where two groups are joined: near the right edge they are alike, far to the left they differ much."
    )
    if tree.cut is not None:
        caption += " The dashed line is the cut: what is joined to its right is one segment, in the segment's colour."
    if scheme.fitted_in not in (None, rows.run_id):
        caption += f" The tree is that of run {scheme.fitted_in}, whose model serves again, with the users of then."
    description = f"From one end to the other the segments are {', '.join(order)}."
    title = f"How users join into groups: {scheme.title.lower()}"
    spec = dendrogram(tree, scheme.shown, config.min_group)
    return chart(f"tree-{number}", title, description, caption, spec, 300)


def metrics_figures(judged: Sequence[Row]) -> list[Chart]:
    """Recommenders against the bestsellers: all metrics of one, or of several a chart for each metric of COMPARED."""
    drawn = [row for row in judged if row["metric"] in story.DRAWN_METRICS]
    if len({row["method"] for row in drawn}) < 2:
        named = [(wording.metric_words(row["metric"]), row) for row in drawn]
        return [_intervals("metrics", "Recommendations against the bestsellers", named)] if named else []
    found = []
    for metric in COMPARED:
        named = [(wording.method_name(row["method"]), row) for row in drawn if row["metric"] == metric]
        if named:
            title = f"{wording.metric_label(metric, named[0][1]['k'])} against the bestsellers"
            found.append(_intervals(f"metrics-{metric.replace('_', '-')}", title, named))
    return found


def _intervals(name: str, title: str, named: Sequence[tuple[str, Row]]) -> Chart:
    told = "; ".join(
        f"{label} {words.number(row['value'])}, bestsellers {words.number(row['popularity_value'])}"
        for label, row in named
    )
    caption = (
        "Disc: recommendations, with the 95% interval over users as a bar. Diamond: the bestsellers. Right is better."
    )
    spec = metric_intervals([label for label, _ in named], [row for _, row in named])
    return chart(name, title, f"{told}.", caption, spec, 260)


def effects_figure(found: Effects) -> Chart | None:
    """What the newest campaign whose effects are known changed: users who ordered, in points."""
    drawn = found.drawn
    if not drawn:
        return None
    names = [f"{effect.place.name}: {effect.action}" for effect in drawn]
    told = "; ".join(
        f"{name}: {effect.verdict}, {effect.lift} ({effect.interval})"
        + (f", an effect of {effect.least} would have been seen" if effect.least else "")
        for name, effect in zip(names, drawn, strict=True)
    )
    caption = (
        "Users who ordered, contacted against held out: the mark is the difference, the bar its 95% interval. A"
        " triangle up works, one down harms; a disc may be chance. The verdict allows for the number of comparisons, so"
        " that a bar may miss the line at zero and yet be inconclusive. Short lines beside it show how large an effect"
        " would have had to be for four of five such campaigns to see it. Until the days that count are over for"
        " everybody of a campaign, all of it is inconclusive."
    )
    if len(drawn) < len(found.shares):
        caption += f" The table has {len(found.shares) - len(drawn)} more."
    spec = effect_intervals([_drawn(name, effect) for name, effect in zip(names, drawn, strict=True)], POINTS)
    return chart("effects", "What the actions changed", f"In points of a percentage: {told}.", caption, spec, 330)


def _drawn(name: str, effect: Effect) -> dict[str, Any]:
    values = {"lift": "lift", "low": "lift_low", "high": "lift_high", "least": "least_detectable"}
    numbers = {key: None if effect.row[of] is None else 100 * effect.row[of] for key, of in values.items()}
    texts = {"told": effect.lift, "interval": effect.interval, "least_told": effect.least or words.NOTHING}
    return {"name": name, "verdict": effect.verdict, **numbers, **texts}


def seconds_figure(stages: Sequence[Row]) -> Chart | None:
    """How long each stage took that has ended."""
    stages = [row for row in stages if row["status"] != "started"]
    if not stages:
        return None
    told = ", ".join(f"{words.neutral(row['stage'])} {words.number(row['seconds'])}" for row in stages)
    caption = "Wall seconds, in the order in which the stages ran. Rows and remarks are in the table."
    return chart("stages", "Seconds that each stage took", f"In seconds: {told}.", caption, stage_seconds(stages), 300)
