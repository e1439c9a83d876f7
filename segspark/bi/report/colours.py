"""One colour per segment, the same in every chart, and tints that keep text readable."""

import math
from collections.abc import Sequence

WHITE, BLACK, INK = "#ffffff", "#0a0a0a", "#16202c"
ABOVE, BELOW = "#0072b2", "#d55e00"  # of the profile: told apart by colour-blind readers too
FULL_TINT = 0.42  # of the colour in the strongest cell: INK on it keeps a contrast above 4.5


def segment_colour(segment_id: int, colours: Sequence[str]) -> str:
    """The segment's colour."""
    return colours[segment_id % len(colours)]


def text_colour(background: str) -> str:
    """White or black, whichever stands out more from the background (WCAG 2 contrast)."""
    return max(WHITE, BLACK, key=lambda colour: contrast(colour, background))


def contrast(one: str, other: str) -> float:
    """The contrast of two colours, 1 to 21, as WCAG 2 defines it."""
    light, dark = sorted((_luminance(one), _luminance(other)), reverse=True)
    return (light + 0.05) / (dark + 0.05)


def lift_tint(lift: float | None) -> str:
    """The background of a profile's cell: bluer above the average, more orange below; four times is the strongest."""
    if lift is None or not math.isfinite(lift) or lift < 0:
        return WHITE
    strength = 1.0 if lift == 0 else min(abs(math.log2(lift)) / 2, 1.0)
    return mix(WHITE, ABOVE if lift > 1 else BELOW, FULL_TINT * strength)


def mix(one: str, other: str, share: float) -> str:
    """The colour that lies `share` of the way from one to the other."""
    pairs = zip(_channels(one), _channels(other), strict=True)
    return "#" + "".join(f"{round(a + (b - a) * share):02x}" for a, b in pairs)


def _channels(colour: str) -> list[int]:
    return [int(colour[i : i + 2], 16) for i in (1, 3, 5)]


def _luminance(colour: str) -> float:
    linear = [c / 12.92 if c <= 0.04045 else ((c + 0.055) / 1.055) ** 2.4 for c in (v / 255 for v in _channels(colour))]
    return sum(weight * value for weight, value in zip((0.2126, 0.7152, 0.0722), linear, strict=True))
