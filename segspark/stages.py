"""The stages of a run, each with all that it reads, its settings, and what it writes.

The code of a part sees only the tables and settings that stand here, and each of them counts where it is asked whether
the rows of the published run will do (`segspark/core/declared.py`).
"""

import hashlib
from typing import Any

from segspark.bi.marts.keys import pseudonym_key
from segspark.bi.marts.stage import build_marts, build_moves
from segspark.bi.report.stage import build_report
from segspark.campaigns.catalogue import load_strategies
from segspark.campaigns.stage import build_campaigns
from segspark.config import Config
from segspark.core import contracts as tables
from segspark.core.declared import Part, Read, Stage, in_order, only, without
from segspark.features.preparation.stage import write_prepared
from segspark.features.stage import build_features, update_days
from segspark.ingest.checks.stage import check_quality
from segspark.ingest.config import LOGS
from segspark.recommend.config import RecommendConfig
from segspark.recommend.methods.registry import HYBRID
from segspark.recommend.reader import SCHEME
from segspark.recommend.stage import build_recommendations, build_similarity, evaluate_recommendations, fit_factors
from segspark.segments.personas import load_catalogue
from segspark.segments.stage import build_segments

OF_DAYS = ("session_gap_minutes", "night_from_hour", "night_to_hour", "bot_events_per_day")  # keys of `features`
# Keys of `recommend` by what goes by them; the others say how acts are weighed.
OF_ALS = ("rank", "reg_param", "alpha", "iterations", "blocks")
OF_NEIGHBOURS = (
    "similarity", "shrinkage", "min_overlap", "content_weights", "neighbours", "user_neighbours",
    "user_similarity_max_users", "user_cells", "user_cells_probed", "recall_users", "similarity_block_rows",
    "similarity_block_pairs", "task_memory_mb",
)  # fmt: skip
OF_LISTS = (
    "methods", "hybrid_of", "top_n", "exclude_seen", "seen", "max_per_category", "explain_max_items", "user_block_rows",
    "item_block_rows", "rating_reg_param", "evaluation",
)  # fmt: skip
UNUSED = ("tuning",)  # what `segspark tune` tries


def recommend_config(config: Config, *left_out: str) -> tuple[RecommendConfig]:
    """What the room recommend is told, without those keys."""
    return (without(config.recommend, *UNUSED, *left_out),)


def lists_by_neighbours(config: Config) -> bool:
    """Whether any method makes lists from the neighbours that the stage similarity found."""
    used = {*config.recommend.methods, *(config.recommend.hybrid_of if HYBRID in config.recommend.methods else ())}
    return bool(used - {"als", HYBRID})


def has_graph(config: Config) -> bool:
    """Whether any scheme compares users by the graph of similar users."""
    return any(scheme.source == "graph" for scheme in config.segments.schemes.values())


def strategies_of(config: Config) -> Any:
    """The content of the strategies file; None where no campaign is planned."""
    path = config.campaigns.strategies
    return None if path is None else load_strategies(path, config.earned_names())


PEOPLE = Read(tables.USER_FEATURES, ("user_id", "is_bot"))
MEMBERS = Read(tables.USER_SEGMENTS, ("scheme", "user_id", "segment_id"))
BY_VALUE = Read(tables.USER_SEGMENTS, MEMBERS.columns, where=f"scheme = '{SCHEME}'")
ACTS = (tables.USER_ITEM_DAYS, tables.RATINGS, PEOPLE)
CAMPAIGN_TABLES = (
    *(tables.CAMPAIGNS, tables.CAMPAIGN_PLAN, tables.CAMPAIGN_MEMBERS, tables.CAMPAIGN_LIFT, tables.CAMPAIGN_CHECKS),
    *(tables.CAMPAIGN_BALANCE, tables.CAMPAIGN_MOVES, tables.CAMPAIGN_EVIDENCE, tables.CAMPAIGN_REWARDS),
    *(tables.STRATEGIES, tables.STRATEGY_VALUES, tables.SEGMENT_DEMAND, tables.DEMAND_ACCURACY),
)


INGEST = Part(
    run=check_quality,
    reads=tuple(LOGS.values()),
    writes=(*LOGS.values(), tables.QUALITY),  # the logs before the run has its number
    settings=lambda config: (config.sources, config.ingest),
    earlier=(tables.SOURCE_FILES, tables.QUARANTINE, tables.RUNS),
)

DAYS = Part(
    run=update_days,
    reads=(tables.EVENTS, tables.ORDERS, tables.RATINGS),
    writes=(tables.SESSIONS, tables.USER_DAYS, tables.USER_ITEM_DAYS, tables.ITEM_DAYS),
    settings=lambda config: (only(config.features, *OF_DAYS),),
    caches=(tables.DAY_BUILDS,),
)
FEATURES = Part(
    run=build_features,
    reads=(
        *(tables.EVENTS, tables.ORDERS, tables.RATINGS, tables.USERS, tables.ITEMS),
        *(tables.USER_DAYS, tables.USER_ITEM_DAYS, tables.ITEM_DAYS),
    ),
    writes=(tables.USER_FEATURES,),
    settings=lambda config: (without(config.features, "prepare", "drift_bound"),),
    caches=(tables.DAY_BUILDS, tables.USER_TOUCHES),
)
PREPARED = Part(
    run=write_prepared,
    reads=(tables.USER_FEATURES,),
    writes=(tables.FEATURE_DRIFT, tables.FEATURE_SELECTION, tables.PREPARED_FEATURES),
    settings=lambda config: (config.features,),
    earlier=(tables.USER_FEATURES, tables.FEATURE_SELECTION),
)

FACTORS = Part(
    run=fit_factors,
    reads=ACTS,
    writes=(tables.USER_INDEX, tables.ITEM_INDEX, tables.USER_FACTORS, tables.ITEM_FACTORS),
    settings=lambda config: recommend_config(config, *OF_NEIGHBOURS, *OF_LISTS),
)
SIMILARITY = Part(
    run=build_similarity,
    reads=(*ACTS, tables.USER_INDEX, tables.ITEM_INDEX, tables.USER_FACTORS, tables.ITEMS),
    writes=(tables.ITEM_SIMILARITY, tables.USER_SIMILARITY),
    settings=lambda config: recommend_config(config, *OF_ALS, *OF_LISTS),
)
RECOMMENDATIONS = Part(
    run=build_recommendations,
    reads=(
        *(
            *ACTS,
            tables.USER_INDEX,
            tables.ITEM_INDEX,
            tables.USER_FACTORS,
            tables.ITEM_FACTORS,
            tables.ITEMS,
            BY_VALUE,
        ),
        *(Read(each, wanted=lists_by_neighbours) for each in (tables.ITEM_SIMILARITY, tables.USER_SIMILARITY)),
    ),
    writes=(tables.RECOMMENDATIONS,),
    settings=recommend_config,
)
EVALUATE = Part(
    run=evaluate_recommendations,
    reads=(*ACTS, tables.ITEMS, BY_VALUE, Read(tables.SEGMENTS, ("scheme", "segment_id"))),
    writes=(tables.RECOMMENDATION_METRICS,),
    settings=recommend_config,
)

SEGMENTS = Part(
    run=build_segments,
    reads=(
        *(tables.USER_FEATURES, tables.FEATURE_SELECTION, tables.FEATURE_DRIFT, tables.PREPARED_FEATURES),
        *(tables.USER_FACTORS, tables.ITEM_FACTORS, Read(tables.USER_SIMILARITY, wanted=has_graph)),
    ),
    writes=(
        *(tables.SEGMENT_MODELS, tables.SEGMENT_MODEL_ARRAYS, tables.SEGMENTS, tables.USER_SEGMENTS),
        *(tables.SEGMENT_PROFILES, tables.SEGMENT_RULES, tables.SEGMENT_IMPORTANCES),
        *(tables.SEGMENT_LINEAGE, tables.SEGMENT_CHANGES),
    ),
    settings=lambda config: (config.segments,),
    looks_up=lambda config: load_catalogue(config.segments.personas),
    earlier=(
        *(tables.FEATURE_SELECTION, tables.ITEM_FACTORS, tables.SEGMENT_MODELS, tables.SEGMENT_MODEL_ARRAYS),
        *(tables.SEGMENTS, tables.USER_SEGMENTS, tables.SEGMENT_LINEAGE, tables.PUBLICATIONS),
    ),
)

CAMPAIGNS = Part(
    run=build_campaigns,
    reads=(
        *(*LOGS.values(), tables.USER_DAYS, tables.ITEM_DAYS, tables.USER_FEATURES, tables.USER_SEGMENTS),
        *(tables.SEGMENTS, tables.SEGMENT_PROFILES, tables.SEGMENT_CHANGES),
        *(tables.RECOMMENDATIONS, tables.RECOMMENDATION_METRICS),
    ),
    writes=CAMPAIGN_TABLES,
    settings=lambda config: (config.campaigns, config.earned_names()),
    looks_up=strategies_of,
    earlier=(*CAMPAIGN_TABLES, tables.SEGMENT_CHANGES, tables.PUBLICATIONS, tables.RUNS, tables.DAY_BUILDS),
)

MARTS = Part(
    run=build_marts,
    reads=(*ACTS, tables.USER_DAYS, tables.ORDERS, tables.ITEMS, MEMBERS),
    writes=(
        *(tables.USER_FACTS, tables.SEGMENT_MONTHS, tables.SEGMENT_FACTS, tables.COHORT_MONTHS),
        *(tables.ITEM_FACTS, tables.SEGMENT_CATEGORIES),
    ),
    looks_up=lambda config: hashlib.sha256(pseudonym_key(config.seed).secret).hexdigest(),
)
MOVES = Part(
    run=build_moves,
    reads=(tables.USER_SEGMENTS, tables.SEGMENT_CHANGES, tables.USER_FACTS, tables.SEGMENTS),
    writes=(tables.SEGMENT_MOVES,),
    earlier=(tables.SEGMENTS,),
)
REPORT = Part(
    run=build_report,
    reads=(*tables.RUN_TABLES, tables.ITEMS),
    settings=lambda config: (config.report,),
    earlier=(tables.SEGMENTS, tables.CAMPAIGNS, tables.RUNS, tables.SOURCE_FILES, tables.QUARANTINE),
)

STAGES = in_order(
    (
        Stage("ingest", (INGEST,)),
        Stage("features", (DAYS, FEATURES, PREPARED)),
        Stage("factors", (FACTORS,)),
        Stage("similarity", (SIMILARITY,)),
        Stage("segments", (SEGMENTS,)),
        Stage("recommendations", (RECOMMENDATIONS,)),
        Stage("evaluate", (EVALUATE,)),
        Stage("campaigns", (CAMPAIGNS,)),
        Stage("marts", (MARTS, MOVES)),
        Stage("report", (REPORT,)),
    )
)
