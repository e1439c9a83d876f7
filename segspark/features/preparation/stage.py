"""Prepares the users of a run: as the published run did, or by a preparation of its own; tells what drifted."""

import numpy as np
import pandas as pd
from py4j.protocol import Py4JJavaError
from pyspark.errors import PySparkException
from pyspark.ml import PipelineModel
from pyspark.sql import DataFrame
from pyspark.sql import functions as F

from segspark.core.contracts import FEATURE_DRIFT, FEATURE_SELECTION, PREPARED_FEATURES, USER_FEATURES
from segspark.core.errors import LakeError
from segspark.core.stage import StageContext, StageResult
from segspark.features.config import FeaturesConfig
from segspark.features.preparation.drift import Drift, borders_of, compare, count_bins
from segspark.features.preparation.prepare import (
    fit_preparation,
    prepare,
    prepare_both,
    sample_users,
    selection_rows,
)
from segspark.features.preparation.reuse import Earlier, reason_to_fit, settings_digest, without


def write_prepared(context: StageContext, config: FeaturesConfig) -> StageResult:
    """Writes the run's feature_drift, feature_selection and prepared_features, and saves the fitted pipeline.

    User features are prepared as the published run prepared its own, or by a preparation of this run's own. Raises
    InputError where no feature varies.
    """
    lake, run = context.lake, context.run
    features = lake.read_run(USER_FEATURES, run.run_id)
    drifts = _measure_drift(context, config, features)
    earlier = _earlier_preparation(context)
    vanished = without(earlier, drifts, _columns_in_use(features, earlier.kept)) if earlier else []
    reason = reason_to_fit(earlier, drifts, vanished, config) if earlier else "there is no earlier one"
    if earlier is not None and earlier.model is not None and reason is None:
        context.tell(f"features: preparing as run {earlier.run_id} did")
        model = earlier.model
        selection = lake.read_run(FEATURE_SELECTION, earlier.run_id).withColumn("fitted_by", F.lit(earlier.fitted_by))
        prepared, notes = prepare(features, model), []
    else:
        context.tell("features: fitting a preparation")
        preparation = fit_preparation(features, config.prepare, run.seed)
        model = preparation.model
        selection = selection_rows(lake.spark, preparation, run.run_id, settings_digest(config))
        before = earlier.model if earlier and not vanished else None
        prepared = prepare_both(features, model, before) if before else prepare(features, model)
        notes = [f"the preparation was fitted anew: {reason}"] if earlier else []
    rows = {
        FEATURE_DRIFT.name: _write_drift(context, drifts),
        FEATURE_SELECTION.name: lake.replace_run(FEATURE_SELECTION, selection, run.run_id),
        PREPARED_FEATURES.name: lake.replace_run(PREPARED_FEATURES, prepared, run.run_id),
    }
    return StageResult(rows=rows, notes=(*notes, *_save(context, model)))


def _measure_drift(context: StageContext, config: FeaturesConfig, features: DataFrame) -> list[Drift]:
    """Every number of user_features against the run that was published; empty where there is none to compare with.

    Brings the sample that the bins are cut by (fit_users x features x 8 bytes) and the counts to the driver.
    """
    run = context.run
    if run.previous is None:
        return []
    then = context.lake.read_run(USER_FEATURES, run.previous)
    names = [field.name for field in features.schema.fields if field.dataType.simpleString() == "double"]
    sample: pd.DataFrame = sample_users(then, names, config.prepare.fit_users, run.seed).toPandas()
    if sample.empty:
        return []
    borders = borders_of(sample[names].to_numpy(dtype=float, na_value=np.nan))
    counts = []
    for frame in (then, features):
        counts.append([np.zeros(len(own) + 2, np.int64) for own in borders])
        for row in count_bins(frame.where(~F.col("is_bot")), names, borders).collect():
            counts[-1][row.feature][row.bin] = row.users
    return compare(names, counts[0], counts[1], config.drift_bound)


def _columns_in_use(features: DataFrame, names: frozenset[str]) -> set[str]:
    """All columns but the texts among `names` that nobody has: no drift is measured of them."""
    types = {field.name: field.dataType.simpleString() for field in features.schema.fields}
    texts = sorted(name for name in names if types.get(name) == "string")
    if not texts:
        return set(types)
    (known,) = features.where(~F.col("is_bot")).agg(*(F.count(name).alias(name) for name in texts)).collect()
    return set(types) - {name for name in texts if known[name] == 0}


def _write_drift(context: StageContext, drifts: list[Drift]) -> int:
    rows = [(drift.feature, drift.psi, drift.bound, drift.has_drifted) for drift in drifts]
    schema = ", ".join(f"{column.name} {column.type}" for column in FEATURE_DRIFT.columns)
    frame = context.lake.spark.createDataFrame(rows, schema)
    return context.lake.replace_run(FEATURE_DRIFT, frame, context.run.run_id)


def _earlier_preparation(context: StageContext) -> Earlier | None:
    """The preparation of the run that was published; None where there is no run, or it looked at no feature."""
    lake, run_id = context.lake, context.run.previous
    rows = lake.read_run(FEATURE_SELECTION, run_id).collect() if run_id else []
    if run_id is None or not rows:
        return None
    names = frozenset(row.feature for row in rows), frozenset(row.feature for row in rows if row.kept)
    about = (run_id, rows[0].fitted_by or run_id, rows[0].settings, *names)
    try:
        return Earlier(*about, PipelineModel.load(lake.path(f"_models/{run_id}/preparation")))
    except (LakeError, Py4JJavaError, PySparkException, ValueError) as error:
        why = str(error) if isinstance(error, LakeError) else f"the files of run {run_id}'s are not there"
        return Earlier(*about, None, why)


def _save(context: StageContext, model: PipelineModel) -> tuple[str, ...]:
    """Saves the fitted pipeline with the run; a lake that is a catalogue has no place for files."""
    try:
        path = context.lake.path(f"_models/{context.run.run_id}/preparation")
    except LakeError as error:
        return (f"the preparation was not saved: {error}",)
    model.write().overwrite().save(path)
    return ()
