"""Whether the published run's model of a scheme places the users again, or a new one is fitted, and why."""

from __future__ import annotations

import json
from collections.abc import Iterable
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from pydantic import ValidationError
from pyspark.sql import DataFrame

from segspark.segments.config import SchemeConfig
from segspark.segments.fit import count_under
from segspark.segments.methods.method import Everyone
from segspark.segments.model import SegmentModel, as_stored
from segspark.segments.stability.alignment import Rotation, model_today

Row = dict[str, Any]
ALIKE = 0.8  # congruence of items; on the gift shop, months at .87 to .90 moved 3 % of the users by the turned model
NO_PART_OF_A_MODEL = {"refit", "churn_budget", "names"}


@dataclass(frozen=True)
class Spaces:
    """What users are compared by in this run and in the published one."""

    now: tuple[str, ...] = ()  # names of the prepared columns in order; none where they have no names
    then: tuple[str, ...] = ()
    is_same: bool = False  # whether both were prepared alike
    drifted: frozenset[str] = frozenset()  # prepared features that drifted


def spaces_of(now: list[Row], then: list[Row] | None = None, drifted: Iterable[str] = ()) -> Spaces:
    """From the rows of feature_selection in both runs and the features that drifted."""
    if then is None:
        return Spaces(_names(now))
    kept = {str(row["feature"]) for row in now if row["kept"]}
    fitted_by, before = ({row["fitted_by"] for row in rows} for rows in (now, then))
    is_same = len(fitted_by) == 1 and None not in fitted_by and fitted_by == before
    return Spaces(_names(now), _names(then), is_same, frozenset(kept.intersection(drifted)))


def _names(selection: list[Row]) -> tuple[str, ...]:
    placed = [row for row in selection if row["place"] is not None]
    return tuple(row["feature"] for row in sorted(placed, key=lambda row: int(row["place"])))


@dataclass(frozen=True)
class Earlier:
    """A scheme in the run that was published."""

    run_id: str
    names: dict[int, str]  # of its segments, by segment_id
    members: DataFrame  # user_id, earlier: the segment_id
    tried: list[Row]  # its rows of segment_models
    model: SegmentModel | None  # None where this version cannot read it
    settings: SchemeConfig | None  # what the model was fitted with; None where this version cannot read them
    rotation: Rotation | None = (
        None  # of today's factors into its space; None for features, or where no item is in both
    )

    @property
    def today(self) -> SegmentModel | None:
        """The model in today's space; None where today's factors do not lie like those it was fitted to."""
        if self.settings is None or self.model is None or self.settings.source != "factors":
            return self.model
        if self.rotation is None or self.rotation.congruence < ALIKE:
            return None
        return model_today(self.model, self.rotation)


def settings_of(config: SchemeConfig) -> dict[str, Any]:
    """Everything in a scheme's configuration that a model depends on."""
    return config.model_dump(mode="json", exclude=NO_PART_OF_A_MODEL)


def settings_from(tried: list[Row]) -> SchemeConfig | None:
    """What the chosen one of some rows of segment_models was fitted with; None where that is not told, or unknown."""
    chosen = next((row for row in tried if row["chosen"]), None)
    told = json.loads(chosen["params"]).get("settings") if chosen else None
    try:
        return SchemeConfig.model_validate(told) if told else None
    except ValidationError:
        return None


def reason_to_fit(earlier: Earlier, config: SchemeConfig, spaces: Spaces) -> str | None:
    """Why a scheme's model is fitted anew; None where the published one serves again.

    `refit: never` passes over drift, not over what makes the published one unusable.
    """
    if earlier.model is None or earlier.settings is None:
        return f"the model of run {earlier.run_id} cannot be read by this version"
    if settings_of(earlier.settings) != settings_of(config):
        return "the settings of the scheme are others"
    if config.source == "factors" and earlier.today is None:
        return "today's factors do not lie like the published run's"
    if config.source == "graph":
        return "the places in a graph are those of one run"
    if config.source == "features" and not spaces.is_same:
        return "the features were prepared anew"
    if config.refit == "always":
        return "refit is always"
    if config.source != "features" or config.refit == "never":
        return None
    drifted = sorted(name for name in spaces.drifted if not config.columns or name in config.columns)
    return f"{', '.join(drifted)} drifted" if drifted else None


def carry_over(everyone: Everyone, model: SegmentModel) -> SegmentModel:
    """The same segments with today's sizes and means; a segment that nobody is in keeps its mean. One pass."""
    (counts,) = count_under(everyone, [model.placement], model.centres.shape[1])
    centres = np.where(counts.sizes[:, None] > 0, as_stored(counts.means), model.centres)
    return replace(model, sizes=counts.sizes, centres=centres)
