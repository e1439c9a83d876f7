"""Writes the run's report beside the tables."""

from pathlib import Path
from urllib.parse import urlsplit

from pyspark.sql import DataFrame, SparkSession

from segspark.bi.config import ReportConfig
from segspark.bi.content import Row, RunRows
from segspark.bi.tables import map_sample, newest_stages, quarantine_reasons, rows_by_source, spending_by_segment
from segspark.core.contracts import (
    FEATURE_SELECTION,
    QUALITY,
    QUARANTINE,
    RECOMMENDATION_METRICS,
    RUNS,
    SEGMENT_MODELS,
    SEGMENT_PROFILES,
    SEGMENTS,
    SOURCE_FILES,
    USER_FEATURES,
    USER_SEGMENTS,
)
from segspark.core.errors import LakeError
from segspark.core.stage import StageContext, StageResult


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
        metrics=_rows(lake.read_run(RECOMMENDATION_METRICS, run.run_id).orderBy("method", "k", "metric")),
        quality=_rows(lake.read_run(QUALITY, run.run_id)),
        sources=_rows(rows_by_source(lake.read(SOURCE_FILES), run.ingest_seq)),
        reasons=_rows(quarantine_reasons(lake.read(QUARANTINE), run.ingest_seq, config.quarantine_reasons)),
        stages=_rows(newest_stages(lake.read(RUNS), run.run_id)),
        selection=_rows(lake.read_run(FEATURE_SELECTION, run.run_id).orderBy("feature")),
        spending=_rows(spending_by_segment(members, features)) if spends else (),
        samples={name: _rows(map_sample(members, name, config.sample_points, run.seed)) for name in schemes},
    )


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
