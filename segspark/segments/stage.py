"""Cuts the users into segments by behaviour (`value`), by taste and as further configured, and names them."""

from dataclasses import dataclass, field
from functools import reduce

from pyspark import StorageLevel
from pyspark.sql import DataFrame
from pyspark.sql import functions as F

from segspark.core.contracts import (
    FEATURE_SELECTION,
    PREPARED_FEATURES,
    SEGMENT_MODEL_ARRAYS,
    SEGMENT_MODELS,
    SEGMENT_PROFILES,
    SEGMENTS,
    USER_FACTORS,
    USER_FEATURES,
    USER_SEGMENTS,
)
from segspark.core.errors import InputError
from segspark.core.stage import StageContext, StageResult
from segspark.segments.assign import assign
from segspark.segments.checks import check, look_at, possible
from segspark.segments.choice import Candidate, best, try_candidates
from segspark.segments.columns import chosen_columns, raw_columns
from segspark.segments.config import SchemeConfig, SegmentsConfig
from segspark.segments.fit import FittedScheme, fit_scheme
from segspark.segments.keeping import array_rows
from segspark.segments.methods.method import Everyone
from segspark.segments.methods.registry import METHODS
from segspark.segments.methods.rules import RAW_COLUMNS
from segspark.segments.naming import Named, name_by_rules, name_segments, taste_personas
from segspark.segments.personas import Catalogue, check_features, load_catalogue
from segspark.segments.placement import Placement
from segspark.segments.placements.rules import ByRules
from segspark.segments.profiles import CATEGORIES, ProfilePlan, Profiles, numeric_features, profile_segments
from segspark.segments.sample import sample_vectors
from segspark.segments.tables import Row, frame_of, model_rows, profile_rows, segment_rows
from segspark.segments.vectors import named_users, unit_length

SMALL_TABLES = (SEGMENT_MODELS, SEGMENT_MODEL_ARRAYS, SEGMENTS, SEGMENT_PROFILES)
NEARLY_ALL = 0.9  # share of users; a segment of more says next to nothing
SOURCES = {"features": (PREPARED_FEATURES, "features"), "factors": (USER_FACTORS, "factors")}
RAW = "raw"  # the source of rules


@dataclass
class Scheme:
    """One scheme on its way to the tables. `assigned` is cached until the stage ends."""

    name: str
    rows: dict[str, list[Row]]
    users: DataFrame
    assigned: DataFrame
    notes: list[str] = field(default_factory=list)


def build_segments(context: StageContext, config: SegmentsConfig) -> StageResult:
    """Writes segment_models, segment_model_arrays, segments, user_segments and segment_profiles of the run.

    Reads user_features and, as the schemes say, prepared_features and user_factors. ConfigError for a wrong personas
    file or a k that the users do not allow; InputError for vectors that nothing can be fitted to. A scheme other than
    `value` that cannot be made is left out with a note: `value` stands without it.
    """
    catalogue = load_catalogue(config.personas)
    features = context.lake.read_run(USER_FEATURES, context.run.run_id).drop("user_bucket")
    if features.isEmpty():
        return StageResult(skipped="there are no user_features; run the stage features, which needs events or orders")
    check_features(catalogue, config.personas, set(numeric_features(features)), set(CATEGORIES))
    people = features.where(~F.coalesce("is_bot", F.lit(False)))
    schemes: list[Scheme] = []
    left_out: list[str] = []
    try:
        for name in config.schemes:
            try:
                schemes.append(_build(context, config, name, people, catalogue))
            except InputError as reason:
                if name == "value":
                    raise
                left_out.append(f"{name} is left out: {reason}")
        notes = [*left_out, *(note for scheme in schemes for note in scheme.notes)]
        return StageResult(rows=_write(context, schemes), notes=tuple(notes))
    finally:
        for scheme in schemes:
            scheme.assigned.unpersist()


def _build(context: StageContext, config: SegmentsConfig, name: str, people: DataFrame, catalogue: Catalogue) -> Scheme:
    """Choice, fit, assignment, profile and names of one scheme."""
    scheme = config.schemes[name]
    everyone = _everyone(context, name, scheme)
    candidates, chosen, fitted, notes = _fit(context, scheme, name, everyone)
    model = fitted.model
    assigned = assign(everyone.vectors, model).persist(StorageLevel.MEMORY_AND_DISK)
    plan = ProfilePlan(catalogue.shares, config.top_values, config.profile_sample, context.run.seed)
    profiles = profile_segments(people, assigned, model.sizes_by_id, plan)
    named = _names(scheme, profiles, catalogue, model.placement)
    context.tell(
        f"{name}: " + ", ".join(f"{given.name} ({size:,})" for given, size in zip(named, model.sizes, strict=True))
    )
    rows = {
        SEGMENT_MODELS.name: model_rows(name, scheme, candidates, chosen, fitted),
        SEGMENT_MODEL_ARRAYS.name: array_rows(name, model),
        SEGMENTS.name: segment_rows(name, model, named),
        SEGMENT_PROFILES.name: profile_rows(name, model, profiles),
    }
    users = named_users(assigned, name, {int(i): given.name for i, given in zip(model.ids, named, strict=True)})
    return Scheme(name, rows, users, assigned, notes)


def _everyone(context: StageContext, name: str, scheme: SchemeConfig) -> Everyone:
    """The scheme's vectors, looked at. InputError where nothing can be fitted to them."""
    if scheme.source == RAW:
        return _ruled(context, scheme)
    table, column = SOURCES[scheme.source]
    frame = context.lake.read_run(table, context.run.run_id)
    vectors = frame.select("user_id", F.col(column).alias("features"))
    if scheme.source == "features":
        vectors = chosen_columns(vectors, _prepared_names(context), scheme, f"segments.{name}")
    vectors = unit_length(vectors) if scheme.unit_length else vectors
    facts = look_at(vectors)
    if facts.users == 0 and scheme.source == "factors":
        raise InputError("there are no user_factors; the stage factors makes them from orders or events")
    check(facts, table.name)
    return Everyone(vectors, facts.users)


def _ruled(context: StageContext, scheme: SchemeConfig) -> Everyone:
    """The columns that the scheme's rules ask for. InputError where nobody has them."""
    columns = RAW_COLUMNS[scheme.algorithm]
    vectors = raw_columns(context.lake.read_run(USER_FEATURES, context.run.run_id), columns)
    facts = look_at(vectors)
    if facts.users == 0:
        raise InputError(f"nobody has {', '.join(columns)}; orders or events bring them")
    check(facts, USER_FEATURES.name)
    return Everyone(vectors, facts.users)


def _prepared_names(context: StageContext) -> list[str]:
    """The names of the prepared columns, in order; none where components or categories stand in their place."""
    rows = context.lake.read_run(FEATURE_SELECTION, context.run.run_id).where("place IS NOT NULL")
    return [row["feature"] for row in rows.orderBy("place").collect()]


def _fit(
    context: StageContext, scheme: SchemeConfig, name: str, everyone: Everyone
) -> tuple[list[Candidate], Candidate, FittedScheme, list[str]]:
    seed, users = context.run.seed, everyone.users
    sample = sample_vectors(everyone.vectors, scheme.sample, users, seed)
    wanted = METHODS[scheme.algorithm].candidates(scheme, sample.points)
    allowed = possible(wanted, sample.points, scheme, f"segments.{name}")
    context.tell(f"{name}: trying {len(allowed)} candidates on {len(sample.points):,} of {users:,} users")
    candidates = try_candidates(sample, allowed, scheme, seed)
    chosen = best(candidates)
    context.tell(f"{name}: {chosen.k} segments; fitting them to {users:,} users")
    fitted = fit_scheme(everyone, sample, chosen, scheme, seed)
    return candidates, chosen, fitted, _doubts(name, chosen, scheme)


def _doubts(name: str, chosen: Candidate, scheme: SchemeConfig) -> list[str]:
    doubts = []
    if chosen.min_share < scheme.min_share:
        doubts.append(
            f"{name}: a segment holds {100 * chosen.min_share:.2g} % of the users, below segments.{name}.min_share"
        )
    if chosen.max_share > NEARLY_ALL:
        doubts.append(
            f"{name}: one segment holds {100 * chosen.max_share:.0f} % of the users, and little is told by it; try"
            " another algorithm or other columns"
        )
    if chosen.prediction_strength < scheme.strength:
        doubts.append(
            f"{name}: {chosen.k} segments reach a prediction strength of {chosen.prediction_strength:.2f}, below"
            f" {scheme.strength:g}: the users shade into one another and the borders are by convention"
        )
    return doubts


def _names(scheme: SchemeConfig, profiles: Profiles, catalogue: Catalogue, placement: Placement) -> list[Named]:
    if isinstance(placement, ByRules):
        return name_by_rules(profiles, placement.rules)
    personas = catalogue.personas if scheme.names == "personas" else taste_personas(profiles, catalogue)
    return name_segments(profiles, personas, catalogue, placement.noise)


def _write(context: StageContext, schemes: list[Scheme]) -> dict[str, int]:
    lake, run_id = context.lake, context.run.run_id
    rows = {}
    for contract in SMALL_TABLES:
        content = [row for scheme in schemes for row in scheme.rows[contract.name]]
        rows[contract.name] = lake.replace_run(contract, frame_of(lake.spark, contract, content), run_id)
    users = reduce(DataFrame.unionByName, [scheme.users for scheme in schemes])
    rows[USER_SEGMENTS.name] = lake.replace_run(USER_SEGMENTS, users, run_id)
    return rows
