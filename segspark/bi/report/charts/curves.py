"""One measure of the candidates by their number of segments."""

from collections.abc import Sequence

from segspark.bi.report.charts.style import ACCENT, QUIET, Spec, place, tip


def candidate_curve(measure: str, sizes: Sequence[int], values: Sequence[float], told: Sequence[str]) -> Spec:
    """A line through the candidates. The taken one is drawn by `taken_mark`; `told` are the values as texts."""
    rows = [{"k": k, "value": value, "told": text} for k, value, text in zip(sizes, values, told, strict=True)]
    step = 1 + (max(sizes) - min(sizes)) // 8
    ends = (min(sizes) - 0.4, max(sizes) + 0.4)
    ticks = list(range(min(sizes), max(sizes) + 1, step))
    axis = {"title": "Number of segments", "values": ticks, "format": "d", "grid": False}
    across = {"field": "value", "type": "quantitative", "axis": {"title": None, "tickCount": 4, "format": "~r"}}
    shape = {"type": "line", "color": QUIET, "strokeWidth": 1.8, "point": {"size": 45, "color": QUIET, "filled": True}}
    encoding = {
        "x": place("k", ends, **axis),
        "y": {**across, "scale": {"zero": False, "nice": True, "padding": 6}},
        "tooltip": tip(k="Segments", told=measure),
    }
    return {"height": 150, "data": {"values": rows}, "encoding": encoding, "layer": [{"mark": shape}]}


def with_taken(spec: Spec, chosen: int | None) -> Spec:
    """The same with the number of segments that was taken marked by a dashed line and a larger disc."""
    if chosen is None:
        return spec
    of_chosen = [{"filter": {"field": "k", "equal": chosen}}]
    line = {"type": "rule", "color": ACCENT, "strokeDash": [3, 3], "strokeWidth": 1.2}
    disc = {"type": "point", "filled": True, "size": 130, "color": ACCENT, "opacity": 1}
    marked = [{"transform": of_chosen, "mark": line, "encoding": {"y": None}}, {"transform": of_chosen, "mark": disc}]
    return {**spec, "layer": [marked[0], *spec["layer"], marked[1]]}
