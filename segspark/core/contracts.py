"""Every table, by its name. What a contract is stands in `contract.py`; the tables stand in one file per kind."""

from segspark.core import day_tables, log_tables, mart_tables, run_tables, segment_tables
from segspark.core.contract import Column, Contract, conform, user_bucket
from segspark.core.day_tables import ITEM_DAYS, SESSIONS, USER_DAYS, USER_ITEM_DAYS, USER_TOUCHES
from segspark.core.log_tables import (
    DAY_BUILDS,
    EVENTS,
    ITEMS,
    ORDERS,
    PUBLICATIONS,
    QUARANTINE,
    RATINGS,
    RUNS,
    SOURCE_FILES,
    USERS,
)
from segspark.core.mart_tables import (
    COHORT_MONTHS,
    ITEM_FACTS,
    SEGMENT_CATEGORIES,
    SEGMENT_FACTS,
    SEGMENT_MONTHS,
    SEGMENT_MOVES,
    USER_FACTS,
)
from segspark.core.run_tables import (
    FEATURE_DRIFT,
    FEATURE_SELECTION,
    ITEM_FACTORS,
    ITEM_INDEX,
    ITEM_SIMILARITY,
    PREPARED_FEATURES,
    QUALITY,
    RECOMMENDATION_METRICS,
    RECOMMENDATIONS,
    USER_FACTORS,
    USER_FEATURES,
    USER_INDEX,
    USER_SIMILARITY,
)
from segspark.core.segment_tables import (
    SEGMENT_CHANGES,
    SEGMENT_IMPORTANCES,
    SEGMENT_LINEAGE,
    SEGMENT_MODEL_ARRAYS,
    SEGMENT_MODELS,
    SEGMENT_PROFILES,
    SEGMENT_RULES,
    SEGMENTS,
    USER_SEGMENTS,
)

TABLES: dict[str, Contract] = {
    table.name: table
    for kind in (log_tables, day_tables, run_tables, segment_tables, mart_tables)
    for table in vars(kind).values()
    if isinstance(table, Contract)
}
RUN_TABLES: tuple[Contract, ...] = tuple(contract for contract in TABLES.values() if contract.kind == "run")

__all__ = [
    "COHORT_MONTHS",
    "DAY_BUILDS",
    "EVENTS",
    "FEATURE_DRIFT",
    "FEATURE_SELECTION",
    "ITEMS",
    "ITEM_DAYS",
    "ITEM_FACTORS",
    "ITEM_FACTS",
    "ITEM_INDEX",
    "ITEM_SIMILARITY",
    "ORDERS",
    "PREPARED_FEATURES",
    "PUBLICATIONS",
    "QUALITY",
    "QUARANTINE",
    "RATINGS",
    "RECOMMENDATIONS",
    "RECOMMENDATION_METRICS",
    "RUNS",
    "RUN_TABLES",
    "SEGMENTS",
    "SEGMENT_CATEGORIES",
    "SEGMENT_CHANGES",
    "SEGMENT_FACTS",
    "SEGMENT_IMPORTANCES",
    "SEGMENT_LINEAGE",
    "SEGMENT_MODELS",
    "SEGMENT_MODEL_ARRAYS",
    "SEGMENT_MONTHS",
    "SEGMENT_MOVES",
    "SEGMENT_PROFILES",
    "SEGMENT_RULES",
    "SESSIONS",
    "SOURCE_FILES",
    "TABLES",
    "USERS",
    "USER_DAYS",
    "USER_FACTORS",
    "USER_FACTS",
    "USER_FEATURES",
    "USER_INDEX",
    "USER_ITEM_DAYS",
    "USER_SEGMENTS",
    "USER_SIMILARITY",
    "USER_TOUCHES",
    "Column",
    "Contract",
    "conform",
    "user_bucket",
]
