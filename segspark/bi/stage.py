"""All of this room that knows the lake: the report beside the tables, views in the session, what a terminal shows."""

from collections.abc import Callable
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from pyspark.sql import DataFrame, SparkSession
from pyspark.sql import functions as F
from rich.console import RenderableType

from segspark.bi.config import ReportConfig
from segspark.bi.content import Row, RunRows
from segspark.bi.dendrogram import ARRAYS
from segspark.bi.pull import Segment, pull_in_words, pulls
from segspark.bi.tables import (
    map_sample,
    newest_stages,
    quarantine_reasons,
    rows_by_source,
    spending_by_segment,
    users_by_cause,
)
from segspark.bi.terminal import show_segments, show_user
from segspark.bi.views import NEIGHBOURS, spark_dialect
from segspark.core.contracts import (
    FEATURE_DRIFT,
    FEATURE_SELECTION,
    PREPARED_FEATURES,
    PUBLICATIONS,
    QUALITY,
    QUARANTINE,
    RECOMMENDATION_METRICS,
    RECOMMENDATIONS,
    RUNS,
    SEGMENT_CHANGES,
    SEGMENT_LINEAGE,
    SEGMENT_MODEL_ARRAYS,
    SEGMENT_MODELS,
    SEGMENT_PROFILES,
    SEGMENT_RULES,
    SEGMENTS,
    SOURCE_FILES,
    TABLES,
    USER_FEATURES,
    USER_SEGMENTS,
    USER_SIMILARITY,
    Contract,
    user_bucket,
)
from segspark.core.errors import InputError, LakeError
from segspark.core.lake import Lake
from segspark.core.stage import StageContext, StageResult
from segspark.core.words import neutral


def build_report(context: StageContext, config: ReportConfig) -> StageResult:
    """Writes `<lake>/reports/<run_id>.html`, one self-contained file, and tells where it is."""
    try:
        import jinja2  # noqa: F401
        import matplotlib  # noqa: F401
    except ImportError as error:
        return StageResult(skipped=f"{error.name} is not installed; install segspark[report]")
    from segspark.bi.page import render_page

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
    spends = "monetary" in features.columns and bool(segments)
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
        spending=_rows(spending_by_segment(members, features)) if spends else (),
        samples={name: _rows(map_sample(members, name, config.sample_points, run.seed)) for name in schemes},
        trees=_rows(lake.read_run(SEGMENT_MODEL_ARRAYS, run.run_id).where(F.col("name").isin(*ARRAYS))),
        **_against_the_published_run(context),
    )


def _against_the_published_run(context: StageContext) -> dict[str, Any]:
    """What RunRows holds of the run that was published when this one began; nothing where there was none."""
    lake, run = context.lake, context.run
    if run.previous is None:
        return {}
    segments = _rows(lake.read_run(SEGMENTS, run.previous).select("scheme", "segment_id", "name", "size"))
    known = lake.read(RUNS).where(F.col("run_id") == run.previous).agg(F.max("as_of")).first()
    return {
        "before": {"run_id": run.previous, "as_of": known[0] if known else None, "segments": segments},
        "moved": _rows(users_by_cause(lake.read_run(SEGMENT_CHANGES, run.run_id))),
        "lineage": _rows(lake.read_run(SEGMENT_LINEAGE, run.run_id)),
        "drift": _rows(lake.read_run(FEATURE_DRIFT, run.run_id)),
    }


def segment_summary(lake: Lake, run_id: str) -> RenderableType:
    """The run's segments for the terminal."""
    rows = lake.read_run(SEGMENTS, run_id).select("scheme", "segment_id", "name", "size", "share", "why")
    return show_segments(run_id, rows.collect())


def user_card(lake: Lake, run_id: str, user_id: str) -> RenderableType:
    """All that the run knows of one user: features, segments and why, recommendations and why, the nearest users.

    Raises InputError where no table of the run knows the user.
    """
    known = look_up(lake, run_id, user_id)
    features = known(USER_FEATURES).collect()
    why = lake.read_run(SEGMENTS, run_id).select("scheme", "segment_id", "why", "strategy")
    memberships = known(USER_SEGMENTS).join(F.broadcast(why), on=["scheme", "segment_id"], how="left")
    segments = memberships.orderBy(F.col("scheme") != "value", "scheme").collect()
    items = known(RECOMMENDATIONS).orderBy("method", "rank").collect()
    near = known(USER_SIMILARITY).orderBy("method").collect()
    if not (features or segments or items or near):
        raise InputError(f"user: {neutral(user_id)} is not in run {run_id}; ids are told apart by case and spaces")
    reasons = _pulls(lake, run_id, known, segments, features)
    return show_user(user_id, features, segments, items, near, reasons)


def _pulls(
    lake: Lake, run_id: str, known: Callable[[Contract], DataFrame], memberships: list[Any], features: list[Any]
) -> dict[str, str]:
    """By scheme, what pulls the user to their segment; only where the prepared features explain it."""
    point = known(PREPARED_FEATURES).collect()
    names = lake.read_run(FEATURE_SELECTION, run_id).where("place IS NOT NULL").orderBy("place").collect()
    if not (point and features):
        return {}
    centres = lake.read_run(SEGMENTS, run_id).select("scheme", "segment_id", "name", "centroid").collect()
    profiles = lake.read_run(SEGMENT_PROFILES, run_id).select("scheme", "segment_id", "feature", "mean").collect()
    told = {}
    for row in memberships:
        segments = [Segment(c.segment_id, c.name, c.centroid) for c in centres if c.scheme == row.scheme and c.centroid]
        found = pulls(point[0].features, [name.feature for name in names], row.segment_id, segments)
        means = {p.feature: p.mean for p in profiles if (p.scheme, p.segment_id) == (row.scheme, row.segment_id)}
        if found is not None:
            told[row.scheme] = pull_in_words(found, features[0].asDict(), means)
    return told


def look_up(lake: Lake, run_id: str, user_id: str) -> Callable[[Contract], DataFrame]:
    """Reads one user's rows of the run's tables.

    The bucket prunes files by their statistics; the id itself stays in a row, out of plans and event logs.
    """
    asked = lake.spark.createDataFrame([(user_id,)], "user_id string")
    bucket = asked.select(user_bucket()).collect()[0][0]

    def rows(contract: Contract) -> DataFrame:
        of_bucket = lake.read_run(contract, run_id).where(F.col("user_bucket") == bucket)
        return of_bucket.join(F.broadcast(asked), on="user_id", how="left_semi")

    return rows


def register_views(lake: Lake, personal_logs: bool = False) -> list[str]:
    """Temporary views in the Spark session, for `segspark query`; returns their names.

    Run tables show the published run, also when another is published later. Logs and day tables come whole: those
    without personal columns (`source_files`, `runs`, `publications`, `items`) always, the others with `personal_logs`.
    A table that was never written is an empty view.
    """
    spoken = spark_dialect(lake.identifier)
    is_published = lake.exists(PUBLICATIONS)
    shown = [c for c in TABLES.values() if c.kind == "run" or personal_logs or not c.is_personal]
    for contract in shown:
        if contract.kind == "run" and is_published and lake.exists(contract):
            _temporary_view(lake, contract.name, spoken.query(contract))
        elif contract.kind != "run" and lake.exists(contract):
            _temporary_view(lake, contract.name, f"SELECT * FROM {lake.identifier(contract.name)}")
        else:
            lake.read(contract).limit(0).createOrReplaceTempView(contract.name)
    _temporary_view(lake, NEIGHBOURS, spoken.neighbours.format(table=f"`{USER_SIMILARITY.name}`"))
    return [*(contract.name for contract in shown), NEIGHBOURS]


def _temporary_view(lake: Lake, name: str, query: str) -> None:
    """A view by its text, which is read anew at each query: a frame would keep the publication it first saw."""
    lake.spark.sql(f"CREATE OR REPLACE TEMPORARY VIEW `{name}` AS {query}")


SEGMENT_COLUMNS = ("segment_id", "name", "size", "share", "why", "strategy", "pca")


def write_text(spark: SparkSession, path: str, text: str) -> None:
    """Writes a small text file: on this machine as it is, elsewhere through Hadoop's file systems, as tables are."""
    place = urlsplit(path)
    if place.scheme in ("", "file"):
        target = Path(place.path if place.scheme else path)
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_text(text, encoding="utf-8")
        return
    jvm = spark._jvm
    assert jvm is not None
    target_path = jvm.org.apache.hadoop.fs.Path(path)
    files = target_path.getFileSystem(spark.sparkContext._jsc.hadoopConfiguration())
    stream = files.create(target_path, True)
    try:
        stream.write(bytearray(text, "utf-8"))
    finally:
        stream.close()


def _rows(frame: DataFrame) -> list[Row]:
    return [row.asDict() for row in frame.collect()]
