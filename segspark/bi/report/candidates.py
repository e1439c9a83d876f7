"""What was tried for each scheme, a line per candidate, and what each measure says."""

import json
import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from segspark.bi.report.content import Row, Scheme
from segspark.bi.wording import counted
from segspark.core.words import NOTHING, neutral, number, percent, sentence

ALGORITHMS = {
    "kmeans": "K-Means",
    "kmedians": "K-Medians",
    "bisecting": "Bisecting K-Means",
    "mixture": "Gaussian mixture",
    "ward": "Ward's hierarchical method",
    "average": "Hierarchical method by mean distance",
    "dbscan": "DBSCAN, by density",
    "hdbscan": "HDBSCAN, by density",
    "consensus": "Consensus of several methods",
    "rfm": "RFM rules",
    "activity": "Activity rules",
}
# Of params: what the fit was told beside the candidate's own parameters, and where the final fit comes from.
OF_THE_FIT = {
    "sample_users", "starts", "max_iter", "tolerance", "fit", "users", "fitted_by", "cost_per_user", "fitted_in",
    "settings",
}  # fmt: skip
PARAMETERS = {"eps": "reach", "core": "dense from a share of", "least": "least share"}
SHARES = {"core", "least"}


@dataclass(frozen=True)
class Measure:
    """One column of the table of candidates."""

    name: str  # in segment_models
    title: str
    meaning: str
    shown: Callable[[float | None], str]


@dataclass(frozen=True)
class Line:
    """One candidate."""

    tried: str
    cells: tuple[str, ...]
    is_chosen: bool


@dataclass(frozen=True)
class Candidates:
    """All candidates of one scheme."""

    method: str
    told: str  # on whom they were measured, and to whom the chosen one was fitted
    measures: tuple[Measure, ...]
    lines: tuple[Line, ...]
    is_highest: bool  # whether the chosen one has the highest score


def two_decimals(value: float | None) -> str:
    """0.86; a dash for what is not known."""
    return NOTHING if value is None or not math.isfinite(value) else f"{value:.2f}"


MEASURES = (
    Measure("k", "Segments", "How many were found; users who are in none, as noise, do not make one", number),
    Measure(
        "prediction_strength",
        "Prediction strength",
        "Whether segments found in one half of the users hold in the other: 1 at most; from 0.8 on well supported",
        two_decimals,
    ),
    Measure(
        "stability",
        "Stability",
        "How far refits to 80% of the users agree: 1 is always the same, 0 is chance",
        two_decimals,
    ),
    Measure(
        "silhouette",
        "Silhouette",
        "How much nearer users are to their own centre than to the next: 1 at most, higher is better",
        two_decimals,
    ),
    Measure(
        "davies_bouldin",
        "Davies-Bouldin",
        "Spread within segments against the distance between them: lower is better",
        two_decimals,
    ),
    Measure(
        "calinski_harabasz",
        "Calinski-Harabasz",
        "Distance between segments against the spread within: higher is better, and only comparable within a scheme",
        number,
    ),
    Measure(
        "cophenetic",
        "Cophenetic correlation",
        "How truly the tree of joined users keeps the distances between them: 1 at most, the same for all of its cuts",
        two_decimals,
    ),
    Measure("min_share", "Smallest segment", "Share of users in the smallest segment", percent),
    Measure("max_share", "Largest segment", "Share of users in the largest segment", percent),
    Measure(
        "score",
        "Score",
        "What the choice went by: 2 points where every segment is large enough to act on; 1 more where prediction "
        "strength reaches its bound and a further cut splits nothing that belongs together; then more segments are "
        "better, else the stronger",
        two_decimals,
    ),
)


def candidates_of(scheme: Scheme) -> Candidates | None:
    """The scheme's rows of segment_models as lines; measures that no candidate has are left out."""
    if not scheme.models:
        return None
    models = in_order(scheme.models)
    params = [_params(model) for model in models]
    varying = [key for key in _own(params) if key == "k" or len({json.dumps(one.get(key)) for one in params}) > 1]
    known = {name for name in models[0] if any(model[name] is not None for model in models)}
    if all(one.get("k") == model["k"] for one, model in zip(params, models, strict=True)) and "k" in varying:
        known.remove("k")  # it is what was tried
    measures = tuple(measure for measure in MEASURES if measure.name in known)
    chosen = next((model for model in models if model["chosen"]), None)
    scores = [model["score"] for model in models if model["score"] is not None]
    return Candidates(
        method=algorithm_name(models[0]["algorithm"]),
        told=_told(params, chosen),
        measures=measures,
        lines=tuple(_line(m, p, varying, measures) for m, p in zip(models, params, strict=True)),
        is_highest=chosen is None or not scores or chosen["score"] == max(scores),
    )


def algorithm_name(algorithm: str) -> str:
    """The method as people call it."""
    return ALGORITHMS.get(algorithm, sentence(algorithm))


def in_order(models: Sequence[Row]) -> list[Row]:
    """Candidates by what they were told, the number of segments first, then by the segments that they have."""
    return sorted(models, key=lambda model: (_numbers(model), model["k"], model["model_id"]))


def _numbers(model: Row) -> tuple[float, ...]:
    params = _params(model)
    return tuple(params[key] for key in _own([params]) if isinstance(params[key], int | float))


def _line(model: Row, params: Mapping[str, Any], varying: Sequence[str], measures: Sequence[Measure]) -> Line:
    return Line(
        tried=", ".join(_parameter(key, params.get(key)) for key in varying) or "as configured",
        cells=tuple(measure.shown(model[measure.name]) for measure in measures),
        is_chosen=bool(model["chosen"]),
    )


def _parameter(key: str, value: Any) -> str:
    if key == "k":
        return counted(value, "segment")
    shown = neutral(value) if not isinstance(value, float) else percent(value) if key in SHARES else number(value)
    return f"{PARAMETERS.get(key, neutral(key).replace('_', ' '))} {shown}"


def _told(params: Sequence[Mapping[str, Any]], chosen: Row | None) -> str:
    final = _params(chosen) if chosen else {}
    measured = params[0].get("sample_users")
    said = counted(len(params), "candidate")
    said += f", measured on {counted(measured, 'user')}" if isinstance(measured, int) else ""
    return said + (f"; the one taken was then fitted to {counted(final['users'], 'user')}" if "users" in final else "")


def _own(params: Sequence[Mapping[str, Any]]) -> list[str]:
    return sorted({key for one in params for key in one} - OF_THE_FIT, key=lambda key: (key != "k", key))


def _params(model: Row) -> dict[str, Any]:
    found = json.loads(model["params"] or "{}")
    return found if isinstance(found, dict) else {}
