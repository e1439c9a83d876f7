"""Cuts the users into segments by behaviour (`value`) and by taste, and names them."""

from dataclasses import dataclass, field
from functools import reduce

from pyspark import StorageLevel
from pyspark.sql import DataFrame
from pyspark.sql import functions as F

from segspark.core.contracts import (
    PREPARED_FEATURES,
    SEGMENT_MODELS,
    SEGMENT_PROFILES,
    SEGMENTS,
    USER_FACTORS,
    USER_FEATURES,
    USER_SEGMENTS,
    Contract,
)
from segspark.core.errors import InputError
from segspark.core.stage import StageContext, StageResult
from segspark.segments.assign import assign
from segspark.segments.checks import check, look_at, possible_numbers
from segspark.segments.choice import Candidate, best, try_candidates
from segspark.segments.config import SchemeConfig, SegmentsConfig
from segspark.segments.fit import FittedScheme, fit_scheme
from segspark.segments.naming import Named, name_segments, taste_personas
from segspark.segments.personas import Catalogue, check_features, load_catalogue
from segspark.segments.profiles import CATEGORIES, ProfilePlan, Profiles, numeric_features, profile_segments
from segspark.segments.sample import sample_vectors
from segspark.segments.tables import Row, frame_of, model_rows, profile_rows, segment_rows
from segspark.segments.vectors import named_users, unit_length

SMALL_TABLES = (SEGMENT_MODELS, SEGMENTS, SEGMENT_PROFILES)


@dataclass
class Scheme:
    """One scheme on its way to the tables. `assigned` is cached until the stage ends."""

    name: str
    rows: dict[str, list[Row]]
    users: DataFrame
    assigned: DataFrame
    notes: list[str] = field(default_factory=list)


def build_segments(context: StageContext, config: SegmentsConfig) -> StageResult:
    """Writes segment_models, segments, user_segments and segment_profiles of the run.

    Reads user_features, prepared_features and, for `taste`, user_factors; without factors `taste` is left out with a
    note. ConfigError for a wrong personas file or a k that the users do not allow; InputError for vectors that nothing
    can be fitted to.
    """
    catalogue = load_catalogue(config.personas)
    features = context.lake.read_run(USER_FEATURES, context.run.run_id).drop("user_bucket")
    if features.isEmpty():
        return StageResult(skipped="there are no user_features; run the stage features, which needs events or orders")
    check_features(catalogue, config.personas, set(numeric_features(features)), set(CATEGORIES))
    people = features.where(~F.coalesce("is_bot", F.lit(False)))
    schemes: list[Scheme] = []
    try:
        schemes.append(_value(context, config, people, catalogue))
        left_out = _try_taste(context, config, people, catalogue, schemes)
        notes = [*left_out, *(note for scheme in schemes for note in scheme.notes)]
        return StageResult(rows=_write(context, schemes), notes=tuple(notes))
    finally:
        for scheme in schemes:
            scheme.assigned.unpersist()


def _value(context: StageContext, config: SegmentsConfig, people: DataFrame, catalogue: Catalogue) -> Scheme:
    vectors = _vectors(context, PREPARED_FEATURES, "features", config.value)
    return _build(context, config, "value", vectors, people, catalogue)


def _try_taste(
    context: StageContext, config: SegmentsConfig, people: DataFrame, catalogue: Catalogue, schemes: list[Scheme]
) -> list[str]:
    """Adds the scheme `taste`, or tells why it is left out: `value` stands without it."""
    vectors = _vectors(context, USER_FACTORS, "factors", config.taste)
    if vectors.isEmpty():
        return ["taste is left out: there are no user_factors; the stage factors makes them from orders or events"]
    try:
        schemes.append(_build(context, config, "taste", vectors, people, catalogue))
        return []
    except InputError as reason:
        return [f"taste is left out: {reason}"]


def _vectors(context: StageContext, contract: Contract, column: str, config: SchemeConfig) -> DataFrame:
    frame = context.lake.read_run(contract, context.run.run_id)
    vectors = frame.select("user_id", F.col(column).alias("features"))
    return unit_length(vectors) if config.unit_length else vectors


def _build(
    context: StageContext,
    config: SegmentsConfig,
    name: str,
    vectors: DataFrame,
    people: DataFrame,
    catalogue: Catalogue,
) -> Scheme:
    """Choice, fit, assignment, profile and names of one scheme."""
    scheme: SchemeConfig = getattr(config, name)
    candidates, chosen, fitted, notes = _fit(context, scheme, name, vectors)
    assigned = assign(vectors, fitted.model).persist(StorageLevel.MEMORY_AND_DISK)
    plan = ProfilePlan(catalogue.shares, config.top_values, config.profile_sample, context.run.seed)
    profiles = profile_segments(people, assigned, fitted.model.sizes, plan)
    named = _names(scheme, profiles, catalogue)
    context.tell(
        f"{name}: "
        + ", ".join(f"{given.name} ({size:,})" for given, size in zip(named, fitted.model.sizes, strict=True))
    )
    rows = {
        SEGMENT_MODELS.name: model_rows(name, candidates, chosen, fitted),
        SEGMENTS.name: segment_rows(name, fitted, named),
        SEGMENT_PROFILES.name: profile_rows(name, profiles),
    }
    users = named_users(assigned, name, [given.name for given in named])
    return Scheme(name, rows, users, assigned, notes)


def _fit(
    context: StageContext, scheme: SchemeConfig, name: str, vectors: DataFrame
) -> tuple[list[Candidate], Candidate, FittedScheme, list[str]]:
    facts = look_at(vectors)
    check(facts, "prepared_features" if name == "value" else "user_factors")
    seed = context.run.seed
    sample = sample_vectors(vectors, scheme.sample, facts.users, seed)
    numbers = possible_numbers(scheme, sample.points, f"segments.{name}")
    context.tell(
        f"{name}: trying {len(numbers)} numbers of segments on {len(sample.points):,} of {facts.users:,} users"
    )
    candidates = try_candidates(sample, numbers, scheme, seed)
    chosen = best(candidates)
    context.tell(f"{name}: {chosen.k} segments; fitting them to {facts.users:,} users")
    fitted = fit_scheme(vectors, sample, chosen, facts.users, scheme, seed)
    return candidates, chosen, fitted, _doubts(name, chosen, scheme)


def _doubts(name: str, chosen: Candidate, scheme: SchemeConfig) -> list[str]:
    doubts = []
    if chosen.min_share < scheme.min_share:
        doubts.append(
            f"{name}: a segment holds {100 * chosen.min_share:.2g} % of the users, below segments.{name}.min_share"
        )
    if chosen.prediction_strength < scheme.strength:
        doubts.append(
            f"{name}: {chosen.k} segments reach a prediction strength of {chosen.prediction_strength:.2f}, below"
            f" {scheme.strength:g}: the users shade into one another and the borders are by convention"
        )
    return doubts


def _names(scheme: SchemeConfig, profiles: Profiles, catalogue: Catalogue) -> list[Named]:
    personas = catalogue.personas if scheme.names == "personas" else taste_personas(profiles, catalogue)
    return name_segments(profiles, personas, catalogue)


def _write(context: StageContext, schemes: list[Scheme]) -> dict[str, int]:
    lake, run_id = context.lake, context.run.run_id
    rows = {}
    for contract in SMALL_TABLES:
        content = [row for scheme in schemes for row in scheme.rows[contract.name]]
        rows[contract.name] = lake.replace_run(contract, frame_of(lake.spark, contract, content), run_id)
    users = reduce(DataFrame.unionByName, [scheme.users for scheme in schemes])
    rows[USER_SEGMENTS.name] = lake.replace_run(USER_SEGMENTS, users, run_id)
    return rows
