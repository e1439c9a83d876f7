"""From a Vega-Lite specification to the picture that stands in the page, and to what the page's script draws from."""

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass

import vl_convert
from markupsafe import Markup, escape

from segspark.bi.report.charts.style import CONFIG, Spec
from segspark.bi.report.charts.users import DOTS

BATCH = 150  # dots that are written together: segment after segment, but none of all dots of one over those of another
# The picture is laid out by the widths of a font that vl-convert brings along, whatever this machine has.
STILL: Spec = {**CONFIG, "font": 'Arial, "Liberation Sans", Helvetica, sans-serif'}


@dataclass(frozen=True)
class Chart:
    """A picture with the heading that says what it shows, and the text under it."""

    name: str  # unique in the page, of letters, digits and dashes
    title: str
    description: str  # all that the picture says, for those who do not see it
    caption: str
    spec: Spec
    svg: Markup


def chart(name: str, title: str, description: str, caption: str, spec: Spec, width: int) -> Chart:
    """The chart; without a script it is that many CSS pixels wide before it is scaled to the page."""
    return Chart(name, title, description, caption, spec, _picture(name, title, description, spec, width))


def specs_as_json(charts: Mapping[str, Spec]) -> Markup:
    """All that the page's script draws, as JSON that no text in it can leave: a script element ends at `</script`."""
    live = {name: {**spec, "width": "container"} for name, spec in charts.items()}
    text = json.dumps({"config": CONFIG, "charts": live}, sort_keys=True, separators=(",", ":"))
    for sign in "<>&'":
        text = text.replace(sign, f"\\u{ord(sign):04x}")
    return Markup(text)  # json.dumps escapes all beyond ASCII, so also U+2028


def _picture(name: str, title: str, description: str, spec: Spec, width: int) -> Markup:
    """The chart as an `svg` element with its own ids, a title and a description for screen readers."""
    text = vl_convert.vegalite_to_svg({**spec, "width": width, "config": STILL, "padding": 2})
    viewbox = re.search(r'viewBox="([^"]+)"', text)
    body = text[text.index(">", text.index("<svg")) + 1 : text.rindex("</svg>")]
    body = re.sub(r'<style.*?</style>| (?:role|aria-[a-z]+|class|pointer-events)="[^"]*"', "", _short_dots(body))
    ids = {found: f"{name}-{number}" for number, found in enumerate(dict.fromkeys(re.findall(r'\bid="([^"]+)"', body)))}
    body = re.sub(r'\bid="([^"]+)"', lambda found: f'id="{ids[found[1]]}"', body)
    body = re.sub(r'url\(#([^)"]+)\)', lambda found: f"url(#{ids.get(found[1], found[1])})", body)
    opening = Markup(
        '<svg xmlns="http://www.w3.org/2000/svg" xmlns:xlink="http://www.w3.org/1999/xlink" viewBox="{}" role="img" '
        'aria-labelledby="{}-title {}-desc" class="chart still"><title id="{}-title">{}</title>'
        '<desc id="{}-desc">{}</desc>'
    ).format(viewbox[1] if viewbox else "", name, name, name, escape(title), name, escape(description))
    return opening + Markup(body + "</svg>")


def _short_dots(body: str) -> str:
    """Thousands of dots as few paths of round or square points of a stroke: a dozen bytes each instead of 200."""
    return re.sub(rf'(<g class="mark-symbol [^"]*{DOTS}[^"]*"[^>]*>)(.*?)(</g>)', _grouped, body, flags=re.DOTALL)


def _grouped(group: re.Match[str]) -> str:
    dots = re.findall(
        r'<path[^>]*?transform="translate\(([-\d.e]+),([-\d.e]+)\)"[^>]*?d="([^"]*)"[^>]*?fill="([^"]*)"', group[2]
    )
    paths = []
    for start in range(0, len(dots), BATCH):
        together: dict[tuple[str, str], list[str]] = {}
        for x, y, shape, colour in dots[start : start + BATCH]:
            cap = "round" if "A" in shape else "square"
            together.setdefault((colour, cap), []).append(f"M{float(x):.1f},{float(y):.1f}h0")
        paths += [
            f'<path d="{"".join(places)}" stroke="{colour}" stroke-linecap="{cap}" stroke-width="4.6" opacity="0.6"/>'
            for (colour, cap), places in together.items()
        ]
    return group[1] + "".join(paths) + group[3]
