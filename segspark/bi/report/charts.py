"""The report's pictures as inline SVG. Each has a title, a description and no text that a user gave."""

import io
import re
from collections.abc import Sequence
from typing import Any

import matplotlib
import numpy as np
from markupsafe import Markup, escape
from matplotlib.backends.backend_svg import FigureCanvasSVG
from matplotlib.figure import Figure

from segspark.bi.report.colours import INK, WHITE
from segspark.bi.report.content import Row, Segment
from segspark.bi.report.dendrogram import Tree

ACCENT, QUIET, GRID = "#1f4e79", "#5b6675", "#e3e7ec"
# The salt makes the ids inside the picture the same at each drawing; mathtext is off, so that a $ is a $.
SETTINGS: Any = {
    "svg.fonttype": "none",
    "svg.hashsalt": "segspark",
    "text.parse_math": False,
    "axes.spines.top": False,
    "axes.spines.right": False,
    "axes.edgecolor": "#c3cad3",
    "axes.labelcolor": QUIET,
    "xtick.color": QUIET,
    "ytick.color": QUIET,
    "axes.formatter.use_mathtext": False,
    "axes.unicode_minus": False,
}


def user_map(name: str, title: str, description: str, points: Sequence[Row], segments: Sequence[Segment]) -> Markup:
    """Users in two principal components, coloured by segment; centres carry the segments' badges."""
    with matplotlib.rc_context(SETTINGS):
        figure, axes = _figure(520, 390)
        colours = {segment.segment_id: segment.colour for segment in segments}
        axes.scatter(
            [point["x"] for point in points],
            [point["y"] for point in points],
            c=[colours[point["segment_id"]] for point in points],
            s=9, alpha=0.6, linewidths=0, rasterized=True,
        )  # fmt: skip
        for segment in sorted(segments, key=lambda segment: segment.size):
            if segment.centre:
                _badge(axes, segment, segment.centre, 25)
        _frame(axes, points, segments)
        axes.set_xlabel("First principal component", fontsize=13)
        axes.set_ylabel("Second principal component", fontsize=13)
        axes.tick_params(labelsize=12, length=0)
        axes.grid(color=GRID, linewidth=0.8)
        axes.set_axisbelow(True)
        return _inline_svg(figure, name, title, description)


def candidate_curve(
    name: str, title: str, description: str, sizes: Sequence[int], values: Sequence[float], chosen: int | None
) -> Markup:
    """One measure by the number of segments; the chosen number is marked."""
    with matplotlib.rc_context(SETTINGS):
        figure, axes = _figure(250, 160)
        axes.plot(sizes, values, color=QUIET, linewidth=1.6, marker="o", markersize=4)
        if chosen is not None and chosen in sizes:
            axes.axvline(chosen, color=ACCENT, linewidth=1, linestyle=(0, (3, 3)))
            axes.plot([chosen], [values[list(sizes).index(chosen)]], "o", color=ACCENT, markersize=9)
        axes.set_xticks(range(min(sizes), max(sizes) + 1, 1 + (max(sizes) - min(sizes)) // 12))
        axes.margins(y=0.15)
        axes.locator_params(axis="y", nbins=4)
        axes.yaxis.set_major_formatter(lambda value, _: f"{value:,.0f}" if abs(value) >= 100 else f"{value:.3g}")
        axes.set_xlabel("Number of segments", fontsize=11)
        axes.tick_params(labelsize=11, length=0)
        axes.grid(axis="y", color=GRID, linewidth=0.8)
        return _inline_svg(figure, name, title, description)


def metric_intervals(name: str, title: str, description: str, labels: Sequence[str], metrics: Sequence[Row]) -> Markup:
    """One line per metric: the recommender with its interval, popularity beside it."""
    with matplotlib.rc_context(SETTINGS):
        figure, axes = _figure(400, 56 + 40 * len(metrics))
        for place, row in enumerate(metrics):
            if row["low"] is not None and row["high"] is not None:
                axes.plot([row["low"], row["high"]], [place, place], color=ACCENT, linewidth=3, solid_capstyle="butt")
            axes.plot(row["value"], place, "o", color=ACCENT, markersize=9)
            axes.plot(
                row["popularity_value"], place, "D", markersize=8,
                markerfacecolor=WHITE, markeredgecolor="#b34700", markeredgewidth=1.8, clip_on=False, zorder=3,
            )  # fmt: skip
        axes.set_yticks(range(len(metrics)), labels, fontsize=12, color=INK)
        axes.set_ylim(len(metrics) - 0.5, -0.5)
        axes.set_xlim(left=0)
        axes.locator_params(axis="x", nbins=5)
        axes.tick_params(labelsize=12, length=0)
        axes.grid(axis="x", color=GRID, linewidth=0.8)
        axes.spines["left"].set_visible(False)
        return _inline_svg(figure, name, title, description)


def dendrogram(
    name: str, title: str, description: str, tree: Tree, segments: Sequence[Segment], min_group: int
) -> Markup:
    """The tree from its root at the left to its leaves at the right, with the users of each and the segments' badges.

    `segments` are those that may be described; what lies in another is grey.
    """
    colours = {segment.segment_id: segment.colour for segment in segments}
    with matplotlib.rc_context(SETTINGS):
        figure, axes = _figure(350, 50 + 16 * len(tree.leaves))
        for branch in tree.branches:
            colour = colours.get(branch.segment_id, QUIET) if branch.segment_id is not None else QUIET
            axes.plot(branch.heights, branch.places, color=colour, linewidth=1.8, solid_capstyle="round")
        if tree.cut is not None:
            axes.axvline(tree.cut, color=INK, linewidth=1.2, linestyle=(0, (4, 3)))
        for segment in segments:
            _mark_leaves(axes, tree, segment)
        users = [f"{leaf.users:,}" if leaf.users >= min_group else f"under {min_group}" for leaf in tree.leaves]
        axes.set_yticks(range(len(users)), users, color=INK)
        axes.yaxis.tick_right()
        axes.set_ylim(len(users) - 0.4, -0.6)
        axes.set_xlim(1.03 * max(tree.branches[-1].heights), 0)
        axes.locator_params(axis="x", nbins=5)
        axes.set_xlabel("How different the joined groups are", fontsize=10.5)
        axes.tick_params(labelsize=10.5, length=0)
        axes.tick_params(axis="y", pad=10)
        axes.grid(axis="x", color=GRID, linewidth=0.8)
        axes.set_axisbelow(True)
        for side in ("left", "right"):
            axes.spines[side].set_visible(False)
        return _inline_svg(figure, name, title, description)


def outside(points: Sequence[Row], segments: Sequence[Segment]) -> int:
    """How many users lie outside the map's frame."""
    if not points:
        return 0
    (left, right), (low, high) = _limits(points, segments)
    return sum(not (left <= point["x"] <= right and low <= point["y"] <= high) for point in points)


def _figure(width: int, height: int) -> tuple[Figure, Any]:
    """A figure of that many CSS pixels."""
    figure = Figure(figsize=(width / 72, height / 72), layout="constrained")
    FigureCanvasSVG(figure)
    figure.patch.set_visible(False)
    axes = figure.add_subplot()
    axes.patch.set_visible(False)
    return figure, axes


def _mark_leaves(axes: Any, tree: Tree, segment: Segment) -> None:
    """A bar beside the segment's leaves, which lie together, and its badge beyond the numbers."""
    own = [place for place, leaf in enumerate(tree.leaves) if leaf.segment_id == segment.segment_id]
    if not own:
        return
    across = axes.get_yaxis_transform()  # 1 is the right edge of the frame
    first, last = min(own) - 0.4, max(own) + 0.4
    axes.plot((1.015, 1.015), (first, last), color=segment.colour, linewidth=5, transform=across, clip_on=False)
    _badge(axes, segment, (1.28, (first + last) / 2), 19, transform=across)


def _badge(axes: Any, segment: Segment, place: tuple[float, float], size: float, **where: Any) -> None:
    """The segment's mark in a disc of that size, in points."""
    axes.plot(
        *place, "o", markersize=size, clip_on=False, **where,
        markerfacecolor=segment.colour, markeredgecolor=WHITE, markeredgewidth=0.1 * size,
    )  # fmt: skip
    axes.text(
        *place, segment.badge, ha="center", va="center_baseline", weight="bold", color=segment.ink, **where,
        fontsize=min(0.48 * size, 1.1 * size / len(segment.badge)),
    )  # fmt: skip


def _frame(axes: Any, points: Sequence[Row], segments: Sequence[Segment]) -> None:
    if points:
        horizontal, vertical = _limits(points, segments)
        axes.set_xlim(*horizontal)
        axes.set_ylim(*vertical)


def _limits(points: Sequence[Row], segments: Sequence[Segment]) -> list[tuple[float, float]]:
    """The middle 99% of the users and all centres, with a margin: few far users would squeeze the others."""
    limits = []
    for axis, name in enumerate(("x", "y")):
        low, high = np.quantile([point[name] for point in points], [0.005, 0.995])
        centres = [segment.centre[axis] for segment in segments if segment.centre]
        low, high = min([low, *centres]), max([high, *centres])
        margin = 0.06 * (high - low) or 1.0
        limits.append((float(low - margin), float(high + margin)))
    return limits


def _inline_svg(figure: Figure, name: str, title: str, description: str) -> Markup:
    """The figure as an `svg` element with its own ids, a title and a description for screen readers."""
    out = io.StringIO()
    figure.savefig(out, format="svg", dpi=180, metadata={"Date": None, "Creator": None, "Format": None, "Type": None})
    text = out.getvalue()
    viewbox = re.search(r'viewBox="([^"]+)"', text)
    body = text[text.index(">", text.index("<svg")) + 1 :]
    body = re.sub(r"<metadata>.*?</metadata>|<style.*?</style>|<!--.*?-->", "", body, flags=re.DOTALL)
    body = re.sub(r'\bid="', f'id="{name}-', body)
    body = re.sub(r'(url\(|href=")#', rf"\1#{name}-", body)
    opening = Markup(
        '<svg xmlns="http://www.w3.org/2000/svg" xmlns:xlink="http://www.w3.org/1999/xlink" viewBox="{}" role="img" '
        'aria-labelledby="{}-title {}-desc" class="chart"><title id="{}-title">{}</title><desc id="{}-desc">{}</desc>'
    ).format(viewbox[1] if viewbox else "", name, name, name, escape(title), name, escape(description))
    return opening + Markup(body)
