"""All of the report that knows the lake: what it reads of a run, and the file beside the tables."""

from typing import Any

from pyspark.sql import DataFrame
from pyspark.sql import functions as F

from segspark.bi.config import ReportConfig
from segspark.bi.marts.moves import SAME
from segspark.bi.report.campaign.stage import gather_campaigns
from segspark.bi.report.content import Row, RunRows, in_reading_order
from segspark.bi.report.dendrogram import ARRAYS
from segspark.bi.report.examples import COMPARED
from segspark.bi.report.tables import (
    example_users,
    map_sample,
    newest_stages,
    offers_to,
    quarantine_reasons,
    rows_by_source,
)
from segspark.core.contracts import (
    FEATURE_DRIFT,
    FEATURE_SELECTION,
    ITEMS,
    QUALITY,
    QUARANTINE,
    RECOMMENDATION_METRICS,
    RECOMMENDATIONS,
    RUNS,
    SEGMENT_FACTS,
    SEGMENT_LINEAGE,
    SEGMENT_MODEL_ARRAYS,
    SEGMENT_MODELS,
    SEGMENT_MOVES,
    SEGMENT_PROFILES,
    SEGMENT_RULES,
    SEGMENTS,
    SOURCE_FILES,
    USER_FEATURES,
    USER_SEGMENTS,
)
from segspark.core.errors import LakeError
from segspark.core.files import write_text
from segspark.core.stage import StageContext, StageResult

MOVE = ("scheme", "from_segment", "to_segment", "cause")
SEGMENT_COLUMNS = ("segment_id", "name", "size", "share", "why", "strategy", "pca")


def build_report(context: StageContext, config: ReportConfig) -> StageResult:
    """Writes `<lake>/reports/<run_id>.html`, one self-contained file, and tells where it is."""
    try:
        import jinja2  # noqa: F401
        import vl_convert  # noqa: F401
    except ImportError as error:
        return StageResult(skipped=f"{error.name} is not installed; install segspark[report]")
    from segspark.bi.report.page import render_page

    try:
        path = context.lake.path(f"reports/{context.run.run_id}.html")
    except LakeError as error:
        return StageResult(skipped=str(error))
    page = render_page(gather(context, config), config)
    write_text(context.lake.spark, path, page)
    return StageResult(notes=(f"report: {path}",))


def gather(context: StageContext, config: ReportConfig) -> RunRows:
    """The rows that the report shows, collected: bounded by segments, models, features, checks and the sample."""
    lake, run = context.lake, context.run
    members = lake.read_run(USER_SEGMENTS, run.run_id)
    segments = _rows(lake.read_run(SEGMENTS, run.run_id).select("scheme", *SEGMENT_COLUMNS))
    schemes = sorted({row["scheme"] for row in segments})
    features = lake.read_run(USER_FEATURES, run.run_id)
    return RunRows(
        run_id=run.run_id,
        as_of=run.as_of,
        seed=run.seed,
        segments=segments,
        models=_rows(lake.read_run(SEGMENT_MODELS, run.run_id)),
        profiles=_rows(lake.read_run(SEGMENT_PROFILES, run.run_id)),
        rules=_rows(lake.read_run(SEGMENT_RULES, run.run_id)),
        metrics=_rows(lake.read_run(RECOMMENDATION_METRICS, run.run_id).orderBy("method", "k", "metric")),
        quality=_rows(lake.read_run(QUALITY, run.run_id)),
        sources=_rows(rows_by_source(lake.read(SOURCE_FILES), run.ingest_seq)),
        reasons=_rows(quarantine_reasons(lake.read(QUARANTINE), run.ingest_seq, config.quarantine_reasons)),
        stages=_rows(newest_stages(lake.read(RUNS), run.run_id)),
        selection=_rows(lake.read_run(FEATURE_SELECTION, run.run_id).orderBy("feature")),
        spending=_rows(
            lake.read_run(SEGMENT_FACTS, run.run_id).selectExpr("scheme", "segment_id", "revenue AS spending")
        ),
        samples={name: _rows(map_sample(members, name, config.sample_points, run.seed)) for name in schemes},
        trees=_rows(lake.read_run(SEGMENT_MODEL_ARRAYS, run.run_id).where(F.col("name").isin(*ARRAYS))),
        examples=_examples(context, schemes, features, config) if config.example_users else (),
        campaign=gather_campaigns(context, config.min_group),
        **_against_the_published_run(context),
    )


def _examples(context: StageContext, schemes: list[str], features: DataFrame, config: ReportConfig) -> list[Row]:
    """A user of each segment of the first scheme, as recommendations with the user's features and without the id."""
    lake, run = context.lake, context.run
    if not schemes:
        return []
    recommendations = lake.read_run(RECOMMENDATIONS, run.run_id)
    metrics = lake.read_run(RECOMMENDATION_METRICS, run.run_id)
    members = lake.read_run(USER_SEGMENTS, run.run_id)
    first = in_reading_order(schemes)[0]
    users = example_users(members, recommendations, first, run.seed).localCheckpoint()
    known = [F.col(name) for name in COMPARED if name in features.columns]
    compared = features.select("user_id", F.struct(*known, F.lit(None).alias("none")).alias("features"))
    numbers = _rows(compared.join(F.broadcast(users), on="user_id").drop("user_id"))
    of_segment = {row["segment_id"]: row["features"].asDict() for row in numbers}
    items = lake.read(ITEMS).select("item_id", "description", "category")
    offers = _rows(offers_to(users, recommendations, metrics, items, config.example_items))
    words = {word for row in offers for word in (row["reason"] or "").split()}
    named = _rows(items.where(F.col("item_id").isin(*words) & F.col("description").isNotNull())) if words else []
    names = {row["item_id"]: row["description"] for row in named}
    return [{**row, "features": of_segment.get(row["segment_id"], {}), "names": names} for row in offers]


def _against_the_published_run(context: StageContext) -> dict[str, Any]:
    """What RunRows holds of the run that was published when this one began; nothing where there was none."""
    lake, run = context.lake, context.run
    if run.previous is None:
        return {}
    segments = _rows(lake.read_run(SEGMENTS, run.previous).select("scheme", "segment_id", "name", "size"))
    known = lake.read(RUNS).where(F.col("run_id") == run.previous).agg(F.max("as_of")).first()
    return {
        "before": {"run_id": run.previous, "as_of": known[0] if known else None, "segments": segments},
        "moved": _rows(lake.read_run(SEGMENT_MOVES, run.run_id).where(F.col("cause") != SAME).orderBy(*MOVE)),
        "lineage": _rows(lake.read_run(SEGMENT_LINEAGE, run.run_id)),
        "drift": _rows(lake.read_run(FEATURE_DRIFT, run.run_id)),
    }


def _rows(frame: DataFrame) -> list[Row]:
    return [row.asDict() for row in frame.collect()]
