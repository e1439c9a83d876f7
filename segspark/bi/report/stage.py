"""All of the report that knows the lake: what it reads of a run, and the file beside the tables."""

from collections.abc import Iterable, Sequence
from concurrent.futures import ThreadPoolExecutor
from operator import itemgetter
from typing import Any

from pyspark.sql import DataFrame
from pyspark.sql import functions as F

from segspark.bi.config import ReportConfig
from segspark.bi.marts.moves import SAME
from segspark.bi.report.campaign.stage import gather_campaigns
from segspark.bi.report.content import Row, RunRows, in_reading_order
from segspark.bi.report.dendrogram import ARRAYS
from segspark.bi.report.examples import COMPARED
from segspark.bi.report.ledgers import named_in, newest_stages, rows_by_source, with_items
from segspark.bi.report.tables import example_lists, example_users, map_samples, quarantine_reasons
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

ENDS = ("from_segment", "to_segment")
SEGMENT_COLUMNS = ("scheme", "segment_id", "name", "size", "share", "why", "strategy", "pca")


def build_report(context: StageContext, config: ReportConfig) -> StageResult:
    """Writes `<lake>/reports/<run_id>.html`, one self-contained file, and tells where it is."""
    try:
        import jinja2  # noqa: F401
        import vl_convert  # noqa: F401
    except ImportError as error:
        return StageResult(skipped=f"{error.name} is not installed; install segspark[report]")
    from segspark.bi.report.page import render_page
    from segspark.bi.report.script import page_script

    try:
        path = context.lake.path(f"reports/{context.run.run_id}.html")
    except LakeError as error:
        return StageResult(skipped=str(error))
    with ThreadPoolExecutor(1) as beside:
        beside.submit(page_script)  # is put together while Spark answers: two seconds that need no rows
        rows = gather(context, config)
    write_text(context.lake.spark, path, render_page(rows, config))
    return StageResult(notes=(f"report: {path}",))


def gather(context: StageContext, config: ReportConfig) -> RunRows:
    """The rows that the report shows: bounded by segments, models, features, checks and the sample.

    Spark is asked for what lies in tables of the size of the users or the items, and only where there is any.
    """
    lake, view, run = context.lake, context.view, context.run
    segments = _of(SEGMENT_COLUMNS, view.rows(SEGMENTS))
    schemes = sorted({row["scheme"] for row in segments})
    sources = rows_by_source(lake.rows(SOURCE_FILES), run.ingest_seq)
    return RunRows(
        run_id=run.run_id,
        as_of=run.as_of,
        seed=run.seed,
        segments=segments,
        models=view.rows(SEGMENT_MODELS),
        profiles=view.rows(SEGMENT_PROFILES),
        rules=view.rows(SEGMENT_RULES),
        metrics=sorted(view.rows(RECOMMENDATION_METRICS), key=itemgetter("method", "k", "metric")),
        quality=view.rows(QUALITY),
        sources=sources,
        reasons=_reasons(context, sources, config),
        stages=newest_stages(lake.rows(RUNS), run.run_id),
        selection=sorted(view.rows(FEATURE_SELECTION), key=itemgetter("feature")),
        spending=[
            {"scheme": row["scheme"], "segment_id": row["segment_id"], "spending": row["revenue"]}
            for row in view.rows(SEGMENT_FACTS)
        ],
        samples=_samples(context, schemes, config),
        trees=[row for row in view.rows(SEGMENT_MODEL_ARRAYS) if row["name"] in ARRAYS],
        examples=_examples(context, schemes, config) if schemes and config.example_users else (),
        campaign=gather_campaigns(context, config.min_group),
        **_against_the_published_run(context),
    )


def _reasons(context: StageContext, sources: Iterable[Row], config: ReportConfig) -> Sequence[Row]:
    if not any(row["quarantined"] for row in sources):
        return []
    rejected = context.lake.read(QUARANTINE)
    return _collected(quarantine_reasons(rejected, context.run.ingest_seq, config.quarantine_reasons))


def _samples(context: StageContext, schemes: list[str], config: ReportConfig) -> dict[str, list[dict[str, Any]]]:
    """Users on the map, by scheme."""
    samples: dict[str, list[dict[str, Any]]] = {scheme: [] for scheme in schemes}
    if schemes and config.sample_points:
        members = context.view.frame(USER_SEGMENTS)
        for row in _collected(map_samples(members, schemes, config.sample_points, context.run.seed)):
            samples[row.pop("scheme")].append(row)
    return samples


def _examples(context: StageContext, schemes: list[str], config: ReportConfig) -> list[Row]:
    """A user of each segment of the first scheme, as recommendations with the user's features and without the id."""
    view = context.view
    recommendations, features = view.frame(RECOMMENDATIONS), view.frame(USER_FEATURES)
    first = in_reading_order(schemes)[0]
    users = example_users(view.frame(USER_SEGMENTS), recommendations, first, context.run.seed)
    compared = features.select("user_id", *(name for name in COMPARED if name in features.columns))
    metrics = view.rows(RECOMMENDATION_METRICS)
    lists = _collected(example_lists(users, recommendations, metrics, compared, config.example_items))
    if not lists:
        return []
    named = context.lake.read(ITEMS).where(F.col("item_id").isin(*named_in(lists)))
    items = {row.pop("item_id"): row for row in _collected(named.select("item_id", "description", "category"))}
    return with_items(lists, items)


def _against_the_published_run(context: StageContext) -> dict[str, Any]:
    """What RunRows holds of the run that was published when this one began; nothing where there was none."""
    view, previous = context.view, context.view.earlier
    if previous is None:
        return {}
    known = [row["as_of"] for row in context.lake.rows(RUNS) if row["run_id"] == previous.run_id and row["as_of"]]
    segments = _of(("scheme", "segment_id", "name", "size"), previous.rows(SEGMENTS))
    return {
        "before": {"run_id": previous.run_id, "as_of": max(known, default=None), "segments": segments},
        "moved": sorted((row for row in view.rows(SEGMENT_MOVES) if row["cause"] != SAME), key=_by_ends),
        "lineage": view.rows(SEGMENT_LINEAGE),
        "drift": view.rows(FEATURE_DRIFT),
    }


def _by_ends(move: Row) -> tuple[object, ...]:
    """Scheme, both segments with none first, cause."""
    ends = ((move[end] is not None, move[end]) for end in ENDS)
    return (move["scheme"], *ends, move["cause"])


def _of(columns: Iterable[str], rows: Iterable[Row]) -> list[dict[str, Any]]:
    """Those columns of the rows."""
    names = tuple(columns)
    return [{name: row[name] for name in names} for row in rows]


def _collected(frame: DataFrame) -> list[dict[str, Any]]:
    return [row.asDict() for row in frame.collect()]
