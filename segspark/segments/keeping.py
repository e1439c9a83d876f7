"""A fitted model as rows of a table, and back: it is published, and rolled back, with the run."""

import numpy as np

from segspark.segments.model import SegmentModel
from segspark.segments.placement import restored

Row = dict[str, object]
OWN = ("ids", "centres", "sizes", "origin", "axes")
PLACEMENT = "placement: "


def array_rows(scheme: str, model: SegmentModel) -> list[Row]:
    """One row per array of the model; names of the placement's begin with its kind."""
    arrays = {name: getattr(model, name) for name in OWN}
    prefix = f"{PLACEMENT}{model.placement.kind}: "
    arrays |= {prefix + name: values for name, values in model.placement.arrays().items()}
    return [
        {
            "scheme": scheme,
            "name": name,
            "shape": list(np.shape(values)),
            "cells": np.asarray(values, dtype=np.float64).ravel().tolist(),
        }
        for name, values in arrays.items()
    ]


def model_from(rows: list[Row]) -> SegmentModel:
    """The model of one scheme's rows. KeyError where they are not whole or of a kind that is not known."""
    arrays = {str(row["name"]): np.array(row["cells"], dtype=np.float64).reshape(row["shape"]) for row in rows}
    own = {name: arrays[name] for name in OWN}
    own["ids"], own["sizes"] = own["ids"].astype(np.int64), own["sizes"].astype(np.int64)
    parts = {name.removeprefix(PLACEMENT): cells for name, cells in arrays.items() if name.startswith(PLACEMENT)}
    kind = next(iter(parts), ": ").rpartition(": ")[0]
    placement = restored(kind, {name.rpartition(": ")[2]: cells for name, cells in parts.items()})
    return SegmentModel(placement=placement, **own)
