"""Which features pull a user to their segment and away from the next best."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from segspark.core.words import feature_label, feature_value, neutral

SHOWN = 3  # features for, and features against


@dataclass(frozen=True)
class Segment:
    """A segment as a user may belong to it: its name and its centre in the prepared space."""

    segment_id: int
    name: str
    centroid: Sequence[float]


@dataclass(frozen=True)
class Pull:
    """How much nearer one feature makes a user to the own segment than to the next best: a share, all sum to 1."""

    feature: str
    share: float  # of what the squared distances differ by; negative where it pulls away


@dataclass(frozen=True)
class Pulls:
    """All features' pulls, the strongest first, and the name of the next best segment."""

    next_best: str
    features: tuple[Pull, ...]


def pulls(point: Sequence[float], names: Sequence[str], own_id: int, segments: Sequence[Segment]) -> Pulls | None:
    """The difference of the squared distances to the next nearest centre and to the own, feature by feature.

    `point` and centroids are in the prepared space, whose numbers are called `names`. None where these do not fit
    together, where there is no other segment, or where the own centre is not the nearest: then no such sum explains it.
    """
    own = next((segment for segment in segments if segment.segment_id == own_id), None)
    others = [segment for segment in segments if segment.segment_id != own_id]
    if own is None or not others or any(len(s.centroid) != len(point) for s in segments) or len(names) != len(point):
        return None
    here = np.asarray(point, dtype=float)
    gaps = {segment.segment_id: (here - np.asarray(segment.centroid, dtype=float)) ** 2 for segment in segments}
    nearest = min(others, key=lambda segment: (gaps[segment.segment_id].sum(), segment.segment_id))
    difference = gaps[nearest.segment_id] - gaps[own.segment_id]
    total = float(difference.sum())
    if total <= 0:
        return None
    found = [Pull(name, float(part) / total) for name, part in zip(names, difference, strict=True)]
    return Pulls(nearest.name, tuple(sorted(found, key=lambda pull: (-pull.share, pull.feature))))


def pull_in_words(pulls: Pulls, values: Mapping[str, object], means: Mapping[str, float | None]) -> str:
    """The strongest features for the own segment, and the strongest against, each with the user's value.

    `values` are the user's features in their own units, `means` those of the own segment.
    """
    towards = [pull for pull in pulls.features if pull.share > 0][:SHOWN]
    away = [pull for pull in reversed(pulls.features) if pull.share < 0][:SHOWN]
    told = "; ".join(_one(pull, values, means) for pull in towards)
    against = "; ".join(_one(pull, values, means) for pull in away)
    text = f"rather than {neutral(pulls.next_best)}: {told}"
    return f"{text}; against it: {against}" if against else text


def _one(pull: Pull, values: Mapping[str, object], means: Mapping[str, float | None]) -> str:
    value = values.get(pull.feature)
    shown = feature_value(pull.feature, value) if isinstance(value, int | float) else "unknown"
    mean = means.get(pull.feature)
    beside = f", segment {feature_value(pull.feature, mean)}" if mean is not None else ""
    return f"{feature_label(pull.feature)} {shown}{beside} ({pull.share:+.0%})"
