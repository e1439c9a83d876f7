"""How long each stage of the run took."""

from collections.abc import Mapping, Sequence
from typing import Any

from segspark.bi.report.charts.style import ACCENT, LINE, Spec, tip
from segspark.bi.report.colours import INK
from segspark.core.runs import TAKEN_OVER
from segspark.core.words import neutral, number

STATUS_COLOURS = {"done": ACCENT, TAKEN_OVER: ACCENT, "skipped": LINE}
OTHERWISE = "#b34700"


def stage_seconds(stages: Sequence[Mapping[str, Any]]) -> Spec:
    """A bar per stage in the order in which they ran, with its seconds beside it."""
    rows = [
        {
            "stage": neutral(row["stage"]), "seconds": row["seconds"] or 0.0, "told": number(row["seconds"]),
            "rows": number(row["rows"]), "status": neutral(row["status"]),
            "colour": STATUS_COLOURS.get(row["status"], OTHERWISE),
        }
        for row in stages
    ]  # fmt: skip
    named = {
        "field": "stage", "type": "nominal", "sort": None,
        "axis": {"title": None, "labelColor": INK, "domain": False, "labelLimit": 150},
    }  # fmt: skip
    across = {"field": "seconds", "type": "quantitative", "axis": {"title": "Seconds", "tickCount": 5, "format": "~s"}}
    told = tip(stage="Stage", told="Seconds", rows="Rows written", status="Status")
    return {
        "height": 26 * len(rows),
        "data": {"values": rows},
        "encoding": {"y": named, "x": across, "tooltip": told},
        "layer": [
            {
                "mark": {"type": "bar", "height": 15, "cornerRadiusEnd": 3},
                "encoding": {"color": {"field": "colour", "type": "nominal", "scale": None}},
            },
            {
                "mark": {"type": "text", "align": "left", "dx": 5},
                "encoding": {"text": {"field": "told", "type": "nominal"}},
            },
        ],
    }
