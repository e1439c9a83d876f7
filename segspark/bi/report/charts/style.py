"""What all charts share: the look, and the colours that are no segment's."""

from typing import Any

from segspark.bi.report.colours import INK

ACCENT, QUIET, GRID, LINE, POPULAR = "#1f4e79", "#5b6675", "#e3e7ec", "#c3cad3", "#b34700"
FONT = 'system-ui, "Segoe UI", Roboto, "Helvetica Neue", "Noto Sans", "Liberation Sans", sans-serif'
Spec = dict[str, Any]  # a Vega-Lite specification without width

# Of every chart. Marks are not told to screen readers one by one: the figure's description tells all in a sentence.
CONFIG: Spec = {
    "background": "transparent",
    "font": FONT,
    "aria": False,
    "view": {"stroke": None},
    "axis": {
        "labelColor": QUIET, "titleColor": QUIET, "titleFontWeight": "normal", "labelFontSize": 12, "titleFontSize": 12,
        "gridColor": GRID, "domainColor": LINE, "ticks": False, "labelPadding": 6, "titlePadding": 8,
    },
    "text": {"fontSize": 12, "color": INK},
}  # fmt: skip


def tip(**labels: str) -> list[Spec]:
    """A tool-tip with a line per field, the fields being texts already: `tip(users="Users")`."""
    return [{"field": field, "type": "nominal", "title": label} for field, label in labels.items()]


def place(field: str, domain: tuple[float, float], **axis: Any) -> Spec:
    """A position on a numeric axis of that domain."""
    scale = {"domain": list(domain), "nice": False, "zero": False}
    return {"field": field, "type": "quantitative", "scale": scale, "axis": axis}
