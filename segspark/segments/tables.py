"""The room's small results as rows of its tables."""

import json
from dataclasses import asdict
from math import isfinite

from segspark.segments.choice import Candidate
from segspark.segments.config import SchemeConfig
from segspark.segments.fit import FittedScheme
from segspark.segments.geometry import project
from segspark.segments.model import SegmentModel
from segspark.segments.naming import Named
from segspark.segments.profiles import Profiles, Stats
from segspark.segments.reasons.rules import Rule, in_words
from segspark.segments.stability.matching import Link

Row = dict[str, object]


def model_rows(
    scheme: str, config: SchemeConfig, candidates: list[Candidate], chosen: Candidate, fitted: FittedScheme
) -> list[Row]:
    """One row per candidate, measured on the sample; the chosen one's params tell of the final fit."""
    return [
        {
            "scheme": scheme,
            "model_id": "-".join([config.algorithm, *(f"{value:g}" for value in candidate.params.values())]),
            "algorithm": config.algorithm,
            "k": candidate.k,
            "params": json.dumps({**candidate.params, **(fitted.final if candidate is chosen else fitted.tried)}),
            "silhouette": _finite(candidate.silhouette),
            "davies_bouldin": _finite(candidate.davies_bouldin),
            "calinski_harabasz": _finite(candidate.calinski_harabasz),
            "prediction_strength": candidate.prediction_strength,
            "stability": candidate.stability,
            "min_share": candidate.min_share,
            "max_share": candidate.max_share,
            "cophenetic": candidate.cophenetic,
            "cost": candidate.cost,
            "score": candidate.score,
            "fidelity": None,
            "chosen": candidate is chosen,
        }
        for candidate in candidates
    ]


def with_fidelity(rows: list[Row], fidelity: float | None) -> list[Row]:
    """The rows with the fidelity of the rules on the chosen one."""
    return [{**row, "fidelity": fidelity if row["chosen"] else None} for row in rows]


def segment_rows(scheme: str, model: SegmentModel, named: list[Named]) -> list[Row]:
    """One row per segment."""
    places = project(model.centres, model.origin, model.axes)
    users = int(model.sizes.sum())
    return [
        {
            "scheme": scheme,
            "segment_id": int(model.ids[number]),
            "name": given.name,
            "title": given.title,
            "size": int(model.sizes[number]),
            "share": int(model.sizes[number]) / users,
            "why": given.why,
            "strategy": given.strategy,
            "centroid": model.centres[number].tolist(),
            "pca": places[number].tolist(),
        }
        for number, given in enumerate(named)
    ]


def profile_rows(scheme: str, profiles: Profiles) -> list[Row]:
    """One row per segment and feature that anyone has."""
    rows: list[Row] = []
    for segment_id, profile in zip(profiles.ids, profiles.segments, strict=True):
        for feature, everyone in profiles.everyone.items():
            if everyone.mean is None:
                continue
            own = profile.get(feature, Stats(None))
            lift = own.mean / everyone.mean if own.mean is not None and everyone.mean != 0 else None
            place: Row = {"scheme": scheme, "segment_id": segment_id, "feature": feature}
            numbers: Row = {"mean": own.mean, "median": own.median, "p10": own.p10, "p90": own.p90}
            overall: Row = {"overall_mean": everyone.mean, "overall_median": everyone.median, "lift": lift}
            rows.append({**place, **numbers, **overall})
    return rows


def rule_rows(scheme: str, rules: list[Rule]) -> list[Row]:
    """One row per rule, numbered within its segment."""
    numbers: dict[int, int] = {}
    rows: list[Row] = []
    for rule in rules:
        numbers[rule.segment_id] = numbers.get(rule.segment_id, 0) + 1
        place: Row = {"scheme": scheme, "segment_id": rule.segment_id, "rule_no": numbers[rule.segment_id]}
        rows.append({**place, "rule": in_words(rule), "coverage": rule.coverage, "precision": rule.precision})
    return rows


def importance_rows(scheme: str, importances: dict[str, float]) -> list[Row]:
    """One row per feature."""
    return [{"scheme": scheme, "feature": name, "importance": value} for name, value in importances.items()]


def lineage_rows(scheme: str, links: list[Link]) -> list[Row]:
    """One row per link."""
    return [{"scheme": scheme, **asdict(link)} for link in links]


def _finite(value: float) -> float | None:
    return value if isfinite(value) else None
