"""Prepares the users of a run: as the published run did, or by a preparation of its own; tells what drifted."""

from collections.abc import Iterable, Mapping
from typing import Any

import numpy as np
from py4j.protocol import Py4JJavaError
from pyspark.errors import PySparkException
from pyspark.ml import PipelineModel
from pyspark.sql import DataFrame
from pyspark.sql import functions as F

from segspark.core.contracts import FEATURE_DRIFT, FEATURE_SELECTION, PREPARED_FEATURES, USER_FEATURES
from segspark.core.errors import LakeError
from segspark.core.stage import StageContext, StageResult
from segspark.features.config import FeaturesConfig
from segspark.features.preparation.drift import Drift, borders_of, compare, count_bins, counts_of
from segspark.features.preparation.prepare import (
    check_names,
    fit_preparation,
    numbers_of,
    prepare,
    prepare_both,
    selection_rows,
)
from segspark.features.preparation.reuse import Earlier, reason_to_fit, settings_digest, without
from segspark.features.preparation.sampling import Sample, draw_users


def write_prepared(context: StageContext, config: FeaturesConfig) -> StageResult:
    """Writes the run's feature_drift, feature_selection and prepared_features, and saves the fitted pipeline.

    User features are prepared as the published run prepared its own, or by a preparation of this run's own. Raises
    InputError where no feature varies.
    """
    run, features = context.run, context.view.frame(USER_FEATURES)
    check_names(features.schema, config.prepare)
    earlier = _earlier_preparation(context)
    sample, then = _samples(context, config, features, earlier)
    drifts = _measure_drift(context, config, features, sample, then)
    vanished = without(earlier, drifts, _columns_in_use(features, earlier.kept, sample)) if earlier else []
    reason = reason_to_fit(earlier, drifts, vanished, config) if earlier else "there is no earlier one"
    selection: Iterable[Mapping[str, Any]]
    if earlier is not None and earlier.model is not None and reason is None:
        context.tell(f"features: preparing as run {earlier.run_id} did")
        model, notes = earlier.model, []
        selection = [{**row, "fitted_by": earlier.fitted_by} for row in earlier.selection]
        prepared = prepare(features, model)
    else:
        context.tell("features: fitting a preparation")
        preparation = fit_preparation(context.lake.spark, sample, config.prepare)
        model = preparation.model
        selection = selection_rows(preparation, run.run_id, settings_digest(config))
        before = earlier.model if earlier and not vanished else None
        prepared = prepare_both(features, model, before) if before else prepare(features, model)
        notes = [f"the preparation was fitted anew: {reason}"] if earlier else []
    rows = {
        FEATURE_DRIFT.name: context.view.write_rows(FEATURE_DRIFT, _drift_rows(drifts)),
        FEATURE_SELECTION.name: context.view.write_rows(FEATURE_SELECTION, selection),
        PREPARED_FEATURES.name: context.view.write(PREPARED_FEATURES, prepared),
    }
    return StageResult(rows=rows, notes=(*notes, *_save(context, model)))


def _samples(
    context: StageContext, config: FeaturesConfig, features: DataFrame, earlier: Earlier | None
) -> tuple[Sample, Sample | None]:
    """Users of this run, and of the one that was published, where there is one: fit_users x features x 8 bytes each."""
    texts = sorted({*config.prepare.categories, *(earlier.kept if earlier else ())} & _named(features, "string"))
    frames, numbers = [features], set(numbers_of(config.prepare))
    if context.view.earlier is not None:
        frames.append(context.view.earlier.frame(USER_FEATURES))
        numbers |= _named(features, "double")
    drawn = draw_users(frames, [*sorted(numbers), *texts], config.prepare.fit_users, context.run.seed)
    return drawn[0], drawn[1] if len(drawn) > 1 else None


def _measure_drift(
    context: StageContext, config: FeaturesConfig, features: DataFrame, sample: Sample, then: Sample | None
) -> list[Drift]:
    """Every number of user_features against the run that was published; empty where there is none to compare with.

    Where the samples are not everyone, users are counted by Spark.
    """
    if then is None or context.view.earlier is None or then.rows.empty:
        return []
    names = [field.name for field in features.schema.fields if field.dataType.simpleString() == "double"]
    borders = borders_of(then.numbers(names))
    if sample.is_everyone and then.is_everyone:
        counts = [counts_of(each.numbers(names), borders) for each in (then, sample)]
    else:
        counts = [[np.zeros(len(own) + 2, np.int64) for own in borders] for _ in range(2)]
        frames = (context.view.earlier.frame(USER_FEATURES), features)
        for row in count_bins([frame.where(~F.col("is_bot")) for frame in frames], names, borders).collect():
            counts[row.frame][row.feature][row.bin] = row.users
    return compare(names, counts[0], counts[1], config.drift_bound)


def _columns_in_use(features: DataFrame, names: frozenset[str], sample: Sample) -> set[str]:
    """All columns but the texts among `names` that nobody has: no drift is measured of them."""
    texts = sorted(names & _named(features, "string"))
    if sample.is_everyone or not texts:
        known = {name: int(sample.rows[name].count()) for name in texts}
    else:
        counts = features.where(~F.col("is_bot")).agg(*(F.count(name).alias(name) for name in texts))
        known = counts.collect()[0].asDict()
    return set(features.columns) - {name for name in texts if known[name] == 0}


def _named(features: DataFrame, kind: str) -> set[str]:
    """The columns of that type."""
    return {field.name for field in features.schema.fields if field.dataType.simpleString() == kind} - {"user_id"}


def _drift_rows(drifts: list[Drift]) -> list[dict[str, object]]:
    """As the table `feature_drift` has them."""
    return [{"feature": d.feature, "psi": d.psi, "bound": d.bound, "drifted": d.has_drifted} for d in drifts]


def _earlier_preparation(context: StageContext) -> Earlier | None:
    """The preparation of the run that was published; None where there is no run, or it looked at no feature."""
    rows = context.view.earlier.rows(FEATURE_SELECTION) if context.view.earlier else []
    if context.view.earlier is None or not rows:
        return None
    run_id = context.view.earlier.run_id
    names = frozenset(row.feature for row in rows), frozenset(row.feature for row in rows if row.kept)
    about = (run_id, rows[0].fitted_by or run_id, rows[0].settings, *names, tuple(rows))
    try:
        return Earlier(*about, PipelineModel.load(context.lake.path(f"_models/{run_id}/preparation")))
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
