"""Cuts the users into segments by behaviour (`value`), by taste and as further configured, and names them."""

from collections.abc import Iterable
from dataclasses import dataclass, replace
from functools import reduce
from typing import Any

import numpy as np
from pyspark import StorageLevel
from pyspark.sql import DataFrame
from pyspark.sql import functions as F

from segspark.core.arrow_rows import Row as StoredRow
from segspark.core.contracts import (
    FEATURE_DRIFT,
    FEATURE_SELECTION,
    ITEM_FACTORS,
    PUBLICATIONS,
    SEGMENT_CHANGES,
    SEGMENT_IMPORTANCES,
    SEGMENT_LINEAGE,
    SEGMENT_MODEL_ARRAYS,
    SEGMENT_MODELS,
    SEGMENT_PROFILES,
    SEGMENT_RULES,
    SEGMENTS,
    USER_FEATURES,
    USER_SEGMENTS,
)
from segspark.core.errors import InputError
from segspark.core.run_view import RunView
from segspark.core.stage import StageContext, StageResult
from segspark.segments.assign import assign
from segspark.segments.config import SchemeConfig, SegmentsConfig
from segspark.segments.keeping import array_rows, model_from
from segspark.segments.making import Made, Order, make_model
from segspark.segments.methods.method import Everyone
from segspark.segments.model import SegmentModel
from segspark.segments.naming import Named, name_by_rules, name_segments, taste_personas
from segspark.segments.notes import moves, outsiders, refusal
from segspark.segments.personas import Catalogue, check_features, load_catalogue
from segspark.segments.placement import Placement
from segspark.segments.placements.rules import ByRules
from segspark.segments.profiles import CATEGORIES, ProfilePlan, Profiles, join_segments, numeric_features
from segspark.segments.reader import Reader
from segspark.segments.reasons.explain import explain
from segspark.segments.stability.alignment import Rotation, rotation_of, sum_products
from segspark.segments.stability.changes import (
    Churn,
    changed_users,
    count_causes,
    count_crossings,
    cross,
    id_of,
    with_causes,
)
from segspark.segments.stability.identity import identify_again, identify_anew, identify_first
from segspark.segments.stability.matching import Link
from segspark.segments.stability.reuse import Earlier, Spaces, settings_from, spaces_of
from segspark.segments.tables import (
    Row,
    importance_rows,
    lineage_rows,
    profile_rows,
    rule_rows,
    segment_rows,
    with_fidelity,
)
from segspark.segments.vectors import named_users

SMALL_TABLES = (
    SEGMENT_MODELS,
    SEGMENT_MODEL_ARRAYS,
    SEGMENTS,
    SEGMENT_PROFILES,
    SEGMENT_RULES,
    SEGMENT_IMPORTANCES,
    SEGMENT_LINEAGE,
)


@dataclass(frozen=True)
class Scheme:
    """One scheme on its way to the tables. `cached` is held until the stage ends."""

    rows: dict[str, list[Row]]
    users: DataFrame
    cached: DataFrame
    notes: list[str]
    changes: DataFrame | None = None
    refused: str | None = None


def build_segments(context: StageContext, config: SegmentsConfig) -> StageResult:
    """Writes segment_models, segment_model_arrays, segments, user_segments, segment_profiles of the run, and against
    the published run segment_lineage and segment_changes.

    Reads user_features and, as the schemes say, prepared_features, user_factors and user_similarity. ConfigError for a
    wrong personas file or a k that the users do not allow; InputError for vectors that nothing can be fitted to. A
    scheme other than `value` that cannot be made is left out with a note: `value` stands without it. The run is refused
    where a refit moves more users than the scheme's churn budget.
    """
    catalogue = load_catalogue(config.personas)
    features = context.view.frame(USER_FEATURES).drop("user_bucket")
    if features.isEmpty():
        return StageResult(skipped="there are no user_features; run the stage features, which needs events or orders")
    check_features(catalogue, config.personas, set(numeric_features(features)), set(CATEGORIES))
    people, reader = features.where(~F.coalesce("is_bot", F.lit(False))), _reader(context)
    schemes: list[Scheme] = []
    left_out: list[str] = []
    try:
        for name in config.schemes:
            try:
                schemes.append(_build(context, config, name, people, catalogue, reader))
            except InputError as reason:
                if name == "value":
                    raise
                left_out.append(f"{name} is left out: {reason}")
        notes = [*left_out, *(note for scheme in schemes for note in scheme.notes)]
        refused = "; ".join(scheme.refused for scheme in schemes if scheme.refused) or None
        return StageResult(rows=_write(context, schemes), notes=tuple(notes), refused=refused)
    finally:
        for scheme in schemes:
            scheme.cached.unpersist()


def _build(
    context: StageContext, config: SegmentsConfig, name: str, people: DataFrame, catalogue: Catalogue, reader: Reader
) -> Scheme:
    """Model, assignment, ids, profile and names of one scheme."""
    scheme, run = config.schemes[name], context.run
    everyone, earlier = reader.everyone(name, scheme), _earlier(context, name)
    made = make_model(Order(name, scheme, run, context.tell), everyone, earlier, reader.spaces)
    crossed = _cross(reader, everyone, made, earlier).persist(StorageLevel.MEMORY_AND_DISK)
    model, lineage = _identify(context, name, made, earlier, crossed)
    caused = with_causes(crossed, model.ids)
    users = caused.where(F.col("segment_id").isNotNull())
    plan = ProfilePlan(catalogue.shares, config.top_values, config.profile_sample, run.seed)
    reasons = explain(join_segments(people, users), model.sizes_by_id, plan, config.rule_depth)
    named = _names(scheme, reasons.profiles, catalogue, earlier.names if earlier else {}, model.placement)
    context.tell(
        f"{name}: " + ", ".join(f"{given.name} ({size:,})" for given, size in zip(named, model.sizes, strict=True))
    )
    rows = {
        SEGMENT_MODELS.name: with_fidelity(made.rows, reasons.fidelity),
        SEGMENT_MODEL_ARRAYS.name: array_rows(name, model),
        SEGMENTS.name: segment_rows(name, model, named),
        SEGMENT_PROFILES.name: profile_rows(name, reasons.profiles),
        SEGMENT_RULES.name: rule_rows(name, reasons.rules),
        SEGMENT_IMPORTANCES.name: importance_rows(name, reasons.importances),
        SEGMENT_LINEAGE.name: lineage_rows(name, lineage),
    }
    names = {int(segment_id): given.name for segment_id, given in zip(model.ids, named, strict=True)}
    notes = [*outsiders(name, everyone), *made.notes]
    whole = Scheme(rows, named_users(users, name, names, earlier is not None), crossed, notes)
    return whole if earlier is None else _with_changes(whole, name, scheme, caused, earlier, made, run.run_id)


def _with_changes(
    whole: Scheme, name: str, scheme: SchemeConfig, caused: DataFrame, earlier: Earlier, made: Made, run_id: str
) -> Scheme:
    """The scheme with who moved and why, and whether too many did."""
    churn = Churn({row["cause"]: row["users"] for row in count_causes(caused).collect()})
    notes = [moves(name, earlier, made.reason, churn), *whole.notes]
    refused = refusal(name, scheme, churn, run_id)
    return replace(whole, changes=changed_users(caused, name), notes=notes, refused=refused)


# --- what users are compared by ---


def _reader(context: StageContext) -> Reader:
    return Reader(context.view.frame, _spaces(context), context.run.seed)


def _spaces(context: StageContext) -> Spaces:
    view = context.view
    now = _dicts(view.rows(FEATURE_SELECTION))
    if view.earlier is None:
        return spaces_of(now)
    drifted = [row.feature for row in view.rows(FEATURE_DRIFT) if row.drifted]
    return spaces_of(now, _dicts(view.earlier.rows(FEATURE_SELECTION)), drifted)


def _names(
    scheme: SchemeConfig, profiles: Profiles, catalogue: Catalogue, earlier: dict[int, str], placement: Placement
) -> list[Named]:
    if isinstance(placement, ByRules):
        return name_by_rules(profiles, placement.rules)
    personas = catalogue.personas if scheme.names == "personas" else taste_personas(profiles, catalogue)
    return name_segments(profiles, personas, catalogue, earlier, placement.noise)


# --- against the published run ---


def _earlier(context: StageContext, name: str) -> Earlier | None:
    """The scheme in the run that was published; None where there is no such run, or no such scheme in it."""
    earlier = context.view.earlier
    if earlier is None:
        return None
    names = {row.segment_id: row.name for row in earlier.rows(SEGMENTS) if row.scheme == name}
    if not names:
        return None
    members = earlier.frame(USER_SEGMENTS).where(F.col("scheme") == name)
    members = members.select("user_id", F.col("segment_id").alias("earlier"))
    tried = _dicts(row for row in earlier.rows(SEGMENT_MODELS) if row.scheme == name)
    arrays = _dicts(row for row in earlier.rows(SEGMENT_MODEL_ARRAYS) if row.scheme == name)
    try:
        model = model_from(arrays)
    except (KeyError, TypeError, ValueError):
        model = None
    settings = settings_from(tried)
    rotation = _rotation(context, earlier) if settings is not None and settings.source == "factors" else None
    return Earlier(earlier.run_id, names, members, tried, model, settings, rotation)


def _cross(reader: Reader, everyone: Everyone, made: Made, earlier: Earlier | None) -> DataFrame:
    """Everyone's place in the new model beside the earlier segment, and the one that the earlier model says today."""
    positions = replace(made.model, ids=np.arange(made.model.k))
    assigned = assign(everyone.vectors, positions).withColumnRenamed("segment_id", "position")
    if earlier is None:
        nothing = F.lit(None).cast("int")
        return assigned.withColumns({"earlier": nothing, "expected": nothing})
    if made.is_new:
        expected = reader.expected(earlier)
        if expected is None:
            unknown = f"run {earlier.run_id}'s model cannot be asked about today's users: every move counts as refit"
            made.notes.append(unknown)
        return cross(assigned, earlier.members, expected)
    return cross(assigned, earlier.members, None).withColumn("expected", id_of(F.col("position"), made.model.ids))


def _identify(
    context: StageContext, name: str, made: Made, earlier: Earlier | None, crossed: DataFrame
) -> tuple[SegmentModel, list[Link]]:
    """The model with the ids that its segments bear in every table, and where they come from."""
    if earlier is None:
        return identify_first(made.model, _last_id(context, name, ()))
    crossings = count_crossings(crossed).collect()
    if made.is_new:
        return identify_anew(made.model, earlier, crossings, _last_id(context, name, earlier.names))
    return identify_again(made.model, earlier, crossings)


def _last_id(context: StageContext, name: str, names: Iterable[int]) -> int:
    """The highest segment_id that the scheme ever had in a run that was published; -1 where it is new."""
    lake = context.lake
    published = {act.run_id for act in lake.rows(PUBLICATIONS)}
    lineage = (row for row in lake.rows(SEGMENT_LINEAGE) if row.scheme == name and row.run_id in published)
    return max([-1, *names, *(row.to_segment for row in lineage if row.to_segment is not None)])


def _rotation(context: StageContext, earlier: RunView) -> Rotation | None:
    """What brings today's factors into the space of the published run's; None where no item is in both."""
    now, then = (
        view.frame(ITEM_FACTORS).select("item_id", F.col("factors").alias(side))
        for view, side in ((context.view, "now"), (earlier, "then"))
    )
    items = now.join(then, on="item_id", how="inner")
    first = items.select(F.size("now"), F.size("then")).first()
    if first is None or first[0] != first[1]:
        return None
    return rotation_of(sum_products(items, first[0]).collect(), first[0])


def _dicts(rows: Iterable[StoredRow]) -> list[dict[str, Any]]:
    return [row.asDict() for row in rows]


def _write(context: StageContext, schemes: list[Scheme]) -> dict[str, int]:
    view = context.view
    rows = {}
    for contract in SMALL_TABLES:
        content = [row for scheme in schemes for row in scheme.rows[contract.name]]
        rows[contract.name] = view.write_rows(contract, content)
    users = reduce(DataFrame.unionByName, [scheme.users for scheme in schemes])
    rows[USER_SEGMENTS.name] = view.write(USER_SEGMENTS, users)
    changes = [scheme.changes for scheme in schemes if scheme.changes is not None]
    if changes:
        rows[SEGMENT_CHANGES.name] = view.write(SEGMENT_CHANGES, reduce(DataFrame.unionByName, changes))
    else:
        rows[SEGMENT_CHANGES.name] = view.clear(SEGMENT_CHANGES)
    return rows
