"""Recommenders against the bestsellers, a line per metric or per method."""

from collections.abc import Mapping, Sequence
from typing import Any

from segspark.bi.report.charts.style import ACCENT, POPULAR, Spec, tip
from segspark.bi.report.colours import INK, WHITE
from segspark.core.words import NOTHING, number


def metric_intervals(labels: Sequence[str], metrics: Sequence[Mapping[str, Any]]) -> Spec:
    """A disc with its interval for each row of recommendation_metrics, and a diamond for popularity's value."""
    rows = [_line(label, row) for label, row in zip(labels, metrics, strict=True)]
    names = {"field": "label", "type": "nominal", "sort": None}
    named = {
        **names,
        "axis": {"title": None, "labelColor": INK, "labelLimit": 190, "domain": False, "labelFontSize": 12.5},
    }
    across = {"type": "quantitative", "scale": {"zero": True}, "axis": {"title": None, "tickCount": 5, "format": "~g"}}
    told = {
        "tooltip": tip(
            label="Measure", value_told="Recommendations", interval="95% interval", popular_told="Bestsellers"
        )
    }
    return {
        "height": 40 * len(rows),
        "data": {"values": rows},
        "encoding": {"y": named},
        "layer": [
            {
                "mark": {"type": "rule", "color": ACCENT, "strokeWidth": 4, "opacity": 0.55},
                "encoding": {"x": {**across, "field": "low"}, "x2": {"field": "high"}, **told},
            },
            {
                "mark": {"type": "point", "filled": True, "size": 130, "color": ACCENT, "opacity": 1},
                "encoding": {"x": {**across, "field": "value"}, **told},
            },
            {
                "mark": {
                    "type": "point",
                    "shape": "diamond",
                    "size": 120,
                    "fill": WHITE,
                    "stroke": POPULAR,
                    "opacity": 1,
                },
                "encoding": {"x": {**across, "field": "popular"}, **told},
            },
        ],
    }


def _line(label: str, row: Mapping[str, Any]) -> dict[str, Any]:
    is_known = row["low"] is not None and row["high"] is not None
    return {
        "label": label,
        "value": row["value"],
        "low": row["low"] if is_known else row["value"],
        "high": row["high"] if is_known else row["value"],
        "popular": row["popularity_value"],
        "value_told": number(row["value"]),
        "interval": f"{number(row['low'])} to {number(row['high'])}" if is_known else NOTHING,
        "popular_told": number(row["popularity_value"]),
    }
