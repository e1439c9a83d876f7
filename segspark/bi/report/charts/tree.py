"""The dendrogram, from its root at the left to its leaves at the right."""

from collections.abc import Sequence
from typing import Any

from segspark.bi.report.charts.style import QUIET, Spec, place, tip
from segspark.bi.report.colours import INK, WHITE
from segspark.bi.report.content import Segment
from segspark.bi.report.dendrogram import Tree
from segspark.core.words import number

BESIDE = 88  # pixels from the right edge to the middle of the badges
AT_EDGE: Spec = {"x": {"value": "width"}}
COLOURED: Spec = {"color": {"field": "colour", "type": "nominal", "scale": None}}


def dendrogram(tree: Tree, segments: Sequence[Segment], min_group: int) -> Spec:
    """The tree with the users of each leaf and the segments' badges.

    `segments` are those that may be described; what lies in another is grey.
    """
    top = 1.03 * max(tree.branches[-1].heights)
    across = {
        "field": "height", "type": "quantitative", "scale": {"domain": [0, top], "nice": False, "reverse": True},
        "axis": {"title": "How different the joined groups are", "tickCount": 5},
    }  # fmt: skip
    down = place("place", (-0.6, len(tree.leaves) - 0.4))
    down = {**down, "scale": {**down["scale"], "reverse": True}, "axis": None}
    lines = {
        "data": {"values": _lines(tree, segments)},
        "mark": {"type": "line", "strokeWidth": 1.8, "interpolate": "linear"},
    }
    encoding = {
        "detail": {"field": "branch", "type": "nominal"},
        "order": {"field": "step", "type": "quantitative"},
        **COLOURED,
        "tooltip": tip(told="Joined at a difference of", inside="Inside"),
    }
    return {
        "height": 16 * len(tree.leaves) + 10,
        "encoding": {"x": across, "y": down},
        "layer": [
            *_cut(tree),
            {**lines, "encoding": encoding},
            *_leaves(tree, segments, min_group),
            *_badges(tree, segments),
        ],
    }


def _lines(tree: Tree, segments: Sequence[Segment]) -> list[dict[str, Any]]:
    """Four points for each merge."""
    by_id = {segment.segment_id: segment for segment in segments}
    rows = []
    for branch_no, branch in enumerate(tree.branches):
        segment = by_id.get(branch.segment_id) if branch.segment_id is not None else None
        inside = segment.title if segment else "several segments" if branch.segment_id is None else "a small segment"
        look = {"branch": branch_no, "colour": segment.colour if segment else QUIET}
        told = {**look, "told": number(max(branch.heights)), "inside": inside}
        points = zip(branch.places, branch.heights, strict=True)
        rows += [{**told, "step": step, "place": at, "height": height} for step, (at, height) in enumerate(points)]
    return rows


def _cut(tree: Tree) -> list[Spec]:
    if tree.cut is None:
        return []
    dashed = {"type": "rule", "color": INK, "strokeDash": [4, 3], "strokeWidth": 1.2}
    return [{"data": {"values": [{"height": tree.cut}]}, "mark": dashed, "encoding": {"y": None}}]


def _leaves(tree: Tree, segments: Sequence[Segment], min_group: int) -> list[Spec]:
    """A bar in the segment's colour at each leaf, and beside it the users."""
    by_id = {segment.segment_id: segment for segment in segments}
    rows = []
    for at, leaf in enumerate(tree.leaves):
        segment = by_id.get(leaf.segment_id)
        name = f"{segment.badge} {segment.title}" if segment else "too small to be described"
        users = number(leaf.users) if leaf.users >= min_group else f"under {min_group}"
        ends = {"place": at, "from": at - 0.4, "to": at + 0.4}
        rows.append({**ends, "users": users, "name": name, "colour": segment.colour if segment else QUIET})
    told = {"tooltip": tip(name="Group in", users="Users"), **AT_EDGE}
    along: Spec = {"y": {"field": "from", "type": "quantitative"}, "y2": {"field": "to"}}
    text = {"type": "text", "align": "left", "dx": 14, "baseline": "middle"}
    data = {"values": rows}
    return [
        {
            "data": data,
            "mark": {"type": "rule", "strokeWidth": 5, "xOffset": 5},
            "encoding": {**told, **along, **COLOURED},
        },
        {"data": data, "mark": text, "encoding": {**told, "text": {"field": "users", "type": "nominal"}}},
    ]


def _badges(tree: Tree, segments: Sequence[Segment]) -> list[Spec]:
    """The segments' badges, each beside the middle of its leaves, which lie together."""
    rows = []
    for segment in segments:
        own = [at for at, leaf in enumerate(tree.leaves) if leaf.segment_id == segment.segment_id]
        if own:
            look = {"badge": segment.badge, "colour": segment.colour, "ink": segment.ink, "name": segment.title}
            rows.append({"place": (min(own) + max(own)) / 2, **look})
    told = {"tooltip": tip(name="Segment"), **AT_EDGE}
    disc = {"type": "point", "shape": "circle", "filled": True, "size": 520, "opacity": 1, "stroke": WHITE}
    text = {"type": "text", "fontWeight": "bold", "fontSize": 11, "baseline": "middle", "xOffset": BESIDE}
    ink = {"field": "ink", "type": "nominal", "scale": None}
    data = {"values": rows}
    return [
        {"data": data, "mark": {**disc, "xOffset": BESIDE}, "encoding": {**told, "fill": COLOURED["color"]}},
        {"data": data, "mark": text, "encoding": {**told, "text": {"field": "badge", "type": "nominal"}, "color": ink}},
    ]
