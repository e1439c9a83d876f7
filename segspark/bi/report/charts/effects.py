"""What actions changed: an interval for each, with the verdict as a word, a shape and a colour."""

from collections.abc import Mapping, Sequence
from typing import Any

from segspark.bi.report.charts.style import ACCENT, POPULAR, QUIET, Spec, tip
from segspark.bi.report.colours import INK, WHITE

LOOKS = {"works": ("triangle-up", ACCENT), "harms": ("triangle-down", POPULAR), "inconclusive": ("circle", QUIET)}
SIGNS = {"works": "+", "harms": "\N{MINUS SIGN}", "inconclusive": "?"}
ROW = 50  # pixels
NAMED: Spec = {"type": "text", "align": "left", "yOffset": -10, "limit": {"expr": "width"}}
LABEL = "datum.value == 0 ? '0' : format(datum.value, '+~f')"


def effect_intervals(effects: Sequence[Mapping[str, Any]], axis_title: str) -> Spec:
    """A line per effect: its name and verdict, and below them lift, low and high; least, where it is inconclusive.

    `effects` have name, verdict, lift, low, high and least (which may be none) as numbers of one unit, and told,
    interval and least_told as texts.
    """
    rows = [_line(no, effect) for no, effect in enumerate(effects)]
    ends = [row[name] for row in rows for name in ("low", "high", "least_low", "least_high") if row[name] is not None]
    margin = 0.04 * (max([0.0, *ends]) - min([0.0, *ends])) or 1.0
    domain = [min([0.0, *ends]) - margin, max([0.0, *ends]) + margin]
    axis = {"title": axis_title, "tickCount": 5, "labelExpr": LABEL}
    across: Spec = {"type": "quantitative", "scale": {"domain": domain, "nice": False}, "axis": axis}
    down = {"field": "no", "type": "ordinal", "axis": None}
    shown = {"name": "Action", "verdict": "Verdict", "told": "Difference", "interval": "95% interval"}
    told = {"tooltip": tip(**shown, least_told="Seen from")}
    coloured = {"color": {"field": "colour", "type": "nominal", "scale": None}}
    shape = {"shape": {"field": "shape", "type": "nominal", "scale": None}}
    named: Spec = {"x": {"value": 0}, "text": {"field": "said", "type": "nominal"}}
    return {
        "height": ROW * len(rows),
        "data": {"values": rows},
        "encoding": {"y": down},
        "layer": [
            {
                "data": {"values": [{"zero": 0}]},
                "mark": {"type": "rule", "color": INK, "strokeWidth": 1.2},
                "encoding": {"x": {**across, "field": "zero"}, "y": None},
            },
            *(_least(name, across, told) for name in ("least_low", "least_high")),
            {
                "mark": {"type": "rule", "strokeWidth": 4, "opacity": 0.55, "yOffset": 10},
                "encoding": {"x": {**across, "field": "low"}, "x2": {"field": "high"}, **coloured, **told},
            },
            {
                "mark": {"type": "point", "filled": True, "size": 130, "opacity": 1, "yOffset": 10, "stroke": WHITE},
                "encoding": {"x": {**across, "field": "lift"}, **coloured, **shape, **told},
            },
            {"mark": {**NAMED, "stroke": WHITE, "strokeWidth": 4}, "encoding": named},  # over the line at zero
            {"mark": NAMED, "encoding": {**named, **coloured, **told}},
        ],
    }


def _least(field: str, across: Spec, told: Spec) -> Spec:
    """A bracket at the least effect that would have been seen."""
    mark = {"type": "tick", "thickness": 2, "size": 16, "color": QUIET, "yOffset": 10, "orient": "vertical"}
    filtered = [{"filter": {"field": field, "valid": True}}]
    return {"transform": filtered, "mark": mark, "encoding": {"x": {**across, "field": field}, **told}}


def _line(no: int, effect: Mapping[str, Any]) -> dict[str, Any]:
    shape, colour = LOOKS[effect["verdict"]]
    least = effect["least"] if effect["verdict"] == "inconclusive" else None
    return {
        **effect,
        "no": no,
        "said": f"{SIGNS[effect['verdict']]} {effect['verdict']} · {effect['name']}",
        "shape": shape,
        "colour": colour,
        "least_low": None if least is None else -least,
        "least_high": least,
    }
