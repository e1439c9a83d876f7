"""Whether the published run's preparation serves again, or a new one must be fitted, and why."""

import hashlib
import json
from collections.abc import Collection
from dataclasses import dataclass

from pyspark.ml import PipelineModel

from segspark.core.arrow_rows import Row
from segspark.features.config import FeaturesConfig
from segspark.features.preparation.drift import Drift

MEANING = 1  # of the features; another number where the same settings come to mean something else


@dataclass(frozen=True)
class Earlier:
    """The preparation of the run that this one is compared with."""

    run_id: str
    fitted_by: str  # the run whose users it was fitted to
    settings: str | None  # digest; None where the run did not write it
    looked_at: frozenset[str]  # features that it was chosen from
    kept: frozenset[str]  # features that it needs
    selection: tuple[Row, ...]  # its rows of feature_selection
    model: PipelineModel | None  # None where its files are not there
    missing: str = ""  # why there is no model


def settings_digest(config: FeaturesConfig) -> str:
    """Of all that is configured of the features, but not of when to fit the preparation again."""
    content = config.model_dump(mode="json", exclude={"drift_bound": True, "prepare": {"refit"}})
    return hashlib.sha256(f"{MEANING} {json.dumps(content, sort_keys=True)}".encode()).hexdigest()[:12]


def without(earlier: Earlier, drifts: list[Drift], columns: Collection[str]) -> list[str]:
    """The features that the earlier preparation needs and that nobody has now; `columns` are those that somebody has.

    A number may stand in `columns` although nobody has it: its drift says so.
    """
    vanished = {drift.feature for drift in drifts if drift.has_vanished}
    return sorted(name for name in earlier.kept if name in vanished or name not in columns)


def reason_to_fit(earlier: Earlier, drifts: list[Drift], vanished: list[str], config: FeaturesConfig) -> str | None:
    """Why the preparation is fitted anew; None where the earlier one serves again.

    `refit: never` passes over drift, not over what makes the earlier one unusable.
    """
    if earlier.model is None:
        return earlier.missing
    if vanished:
        them = "it" if len(vanished) == 1 else "them"
        return (
            f"{', '.join(vanished)} vanished since run {earlier.run_id}: nobody has {them} any more, and models do"
            f" without {them}"
        )
    if earlier.settings != settings_digest(config):
        return "the settings of features are others"
    if config.prepare.refit == "always":
        return "features.prepare.refit is always"
    drifted = [drift for drift in drifts if drift.has_drifted and drift.feature in earlier.looked_at]
    if drifted and config.prepare.refit == "auto":
        return f"{', '.join(f'{drift.feature} ({drift.psi:.2f})' for drift in drifted)} drifted"
    return None
