"""A few real users as the page may show them: no id, no value of their own, only how they compare with the average."""

from collections.abc import Sequence
from dataclasses import dataclass

from segspark.bi.config import ReportConfig
from segspark.bi.report.content import Row, RunRows, Scheme, Segment
from segspark.core.words import NOTHING, feature_label, neutral

BANDS = (
    (0.5, "far below the average"),
    (0.8, "below the average"),
    (1.25, "about average"),
    (2.0, "above the average"),
)
HIGHEST_BAND = "far above the average"
COMPARED = ("monetary", "frequency", "recency_days", "sessions", "aov")
COMPARED_SHOWN = 3
ITEM_LENGTH = 90  # characters of an item's description


@dataclass(frozen=True)
class Offer:
    """One recommended item; it and those that the reason names by their descriptions, where these are known."""

    item: str
    category: str
    reason: str


@dataclass(frozen=True)
class Example:
    """One user, of whom nobody could tell who it is."""

    segment: Segment
    traits: tuple[tuple[str, str], ...]  # feature and how the user compares
    offers: tuple[Offer, ...]


def examples(rows: RunRows, schemes: Sequence[Scheme], config: ReportConfig) -> list[Example]:
    """One user of each segment that may be described, largest first, of the scheme that they were drawn for."""
    found = []
    for scheme in schemes:
        average = {row["feature"]: row["overall_mean"] for row in rows.profiles if row["scheme"] == scheme.name}
        for segment in sorted(scheme.shown, key=lambda segment: (-segment.size, segment.segment_id)):
            own = [
                row for row in rows.examples if (row["scheme"], row["segment_id"]) == (scheme.name, segment.segment_id)
            ]
            if own:
                offers = sorted(own, key=lambda row: row["rank"])
                found.append(Example(segment, _traits(own[0], average), tuple(map(_offer, offers))))
    return found[: config.example_users]


def band(value: float | None, average: float | None) -> str | None:
    """How a value compares with the average of all users; None where that says nothing."""
    if value is None or not average or average < 0:
        return None
    return next((told for bound, told in BANDS if value / average < bound), HIGHEST_BAND)


def _traits(user: Row, average: Row) -> tuple[tuple[str, str], ...]:
    compared = [(feature, band(user["features"].get(feature), average.get(feature))) for feature in COMPARED]
    told = [(feature_label(feature), found) for feature, found in compared if found]
    return tuple(told[:COMPARED_SHOWN])


def _offer(row: Row) -> Offer:
    reason = " ".join(_short(row["names"].get(word, word)) for word in (row["reason"] or "").split())
    return Offer(_short(row["description"] or row["item_id"]), neutral(row["category"]) or NOTHING, neutral(reason))


def _short(text: str) -> str:
    told = neutral(text)
    return told if len(told) <= ITEM_LENGTH else f"{told[: ITEM_LENGTH - 1]}…"
