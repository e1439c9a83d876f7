"""The map of users: a dot each, in the segment's colour, and the segments' badges on their centres."""

from collections.abc import Sequence

import numpy as np

from segspark.bi.report.charts.style import Spec, place, tip
from segspark.bi.report.colours import WHITE
from segspark.bi.report.content import Row, Segment
from segspark.core.words import number, percent

DOTS = "dots"  # name of the mark that drawing.py writes in a short form
SHAPES = ("circle", "square")  # the second where the colours begin again
Limits = tuple[tuple[float, float], tuple[float, float]]


def user_map(points: Sequence[Row], segments: Sequence[Segment], limits: Limits, colours: int) -> Spec:
    """Users in two principal components within limits; `colours` is how many there are before they begin again."""
    horizontal, vertical = limits
    axes = {
        "x": place("x", horizontal, title="First principal component", tickCount=6),
        "y": place("y", vertical, title="Second principal component", tickCount=6),
    }
    return {
        "height": 380,
        "encoding": axes,
        "layer": [_dots(points, segments, colours), *_badges(segments)],
    }


def frame(points: Sequence[Row], segments: Sequence[Segment]) -> Limits:
    """The middle 99% of the users and all centres, with a margin: few far users would squeeze the others."""
    return _limits("x", 0, points, segments), _limits("y", 1, points, segments)


def outside(points: Sequence[Row], limits: Limits) -> int:
    """How many users lie outside the map's frame."""
    return sum(not _is_inside(point, limits) for point in points)


def _is_inside(point: Row, limits: Limits) -> bool:
    (left, right), (low, high) = limits
    return bool(left <= point["x"] <= right and low <= point["y"] <= high)


def _limits(name: str, axis: int, points: Sequence[Row], segments: Sequence[Segment]) -> tuple[float, float]:
    ends = [segment.centre[axis] for segment in segments if segment.centre]
    if points:
        ends += np.quantile([point[name] for point in points], [0.005, 0.995]).tolist()
    margin = 0.06 * (max(ends) - min(ends)) or 1.0
    return round(min(ends) - margin, 3), round(max(ends) + margin, 3)


def _dots(points: Sequence[Row], segments: Sequence[Segment], colours: int) -> Spec:
    ids = [segment.segment_id for segment in segments]
    shapes = [SHAPES[segment_id // colours % len(SHAPES)] for segment_id in ids]
    inside = frame(points, segments)
    kept = [point for point in points if _is_inside(point, inside)]
    values = [{"x": round(p["x"], 3), "y": round(p["y"], 3), "s": p["segment_id"]} for p in kept]
    names = [{"s": segment.segment_id, "name": f"{segment.badge} {segment.title}"} for segment in segments]
    return {
        "name": DOTS,
        "data": {"values": values},
        "transform": [{"lookup": "s", "from": {"data": {"values": names}, "key": "s", "fields": ["name"]}}],
        "mark": {"type": "point", "filled": True, "size": 22, "opacity": 0.6, "clip": True},
        "encoding": {
            "color": {
                "field": "s", "type": "nominal", "legend": None,
                "scale": {"domain": ids, "range": [segment.colour for segment in segments]},
            },
            "shape": {
                "field": "s", "type": "nominal", "legend": None, "scale": {"domain": ids, "range": shapes},
            },
            "tooltip": tip(name="One user of"),
        },
    }  # fmt: skip


def _badges(segments: Sequence[Segment]) -> list[Spec]:
    placed = [(segment, segment.centre) for segment in segments if segment.centre]
    values = [
        {
            "x": centre[0], "y": centre[1], "badge": segment.badge, "name": segment.title, "colour": segment.colour,
            "ink": segment.ink, "users": number(segment.size), "share": percent(segment.share),
        }
        for segment, centre in sorted(placed, key=lambda pair: (pair[0].size, pair[0].segment_id))
    ]  # fmt: skip
    told = {"tooltip": tip(name="Centre of", users="Users", share="Share of users")}
    length = max((len(segment.badge) for segment in segments), default=1)
    disc = {"type": "point", "shape": "circle", "filled": True, "size": 760, "opacity": 1}
    text = {"type": "text", "fontWeight": "bold", "fontSize": min(13, round(34 / length, 1)), "baseline": "middle"}
    fill = {"field": "colour", "type": "nominal", "scale": None}
    ink = {"field": "ink", "type": "nominal", "scale": None}
    named = {"field": "badge", "type": "nominal"}
    data = {"values": values}
    edge = {"stroke": WHITE, "strokeWidth": 2.5}
    return [
        {"data": data, "mark": {**disc, **edge}, "encoding": {"fill": fill, **told}},
        {"data": data, "mark": text, "encoding": {"text": named, "color": ink, **told}},
    ]
