"""The checks on what ingest read: a run's `quality`, and whether the run may be published."""

from collections.abc import Sequence

from pyspark.sql import functions as F

from segspark.core.arrow_rows import Row
from segspark.core.contracts import QUALITY, QUARANTINE, RUNS, SOURCE_FILES
from segspark.core.lake import Lake
from segspark.core.stage import StageContext, StageResult
from segspark.ingest.checks import quality
from segspark.ingest.config import LOGS, IngestConfig, SourcesConfig


def check_quality(context: StageContext, sources: SourcesConfig, config: IngestConfig) -> StageResult:
    """Writes the run's `quality` from the ledger, the logs and quarantine.

    Refuses the run where of the rows that a source brought since the published run too many are in quarantine.
    """
    lake, run = context.lake, context.run
    published = max((row.ingest_seq or 0 for row in lake.rows(RUNS) if row.run_id == run.previous), default=0)
    files = [file for file in lake.rows(SOURCE_FILES) if file.ingest_seq <= run.ingest_seq]
    new = [file for file in files if file.ingest_seq > published]
    rejected = _rejected(lake, files, run.ingest_seq, published)
    seen = F.col("ingest_seq") <= run.ingest_seq
    logs = {name: lake.read(LOGS[name]).where(seen) for name in sources.given()}
    measured = {row.source: row.asDict() for row in quality.measure_logs(logs, run.as_of).collect()}
    checks = [
        *quality.of_ledger(files, config),
        *quality.of_new_files(new, config),
        *quality.of_quarantine(rejected),
        *(check for name in logs for check in quality.of_log(measured.get(name), name, config, run.as_of)),
    ]
    written = context.view.write_rows(QUALITY, checks)
    refused = quality.refusal(new, rejected, config, after=run.previous)
    return StageResult(rows={"quality": written}, notes=quality.notes(checks), refused=refused)


def _rejected(lake: Lake, files: Sequence[Row], ingest_seq: int, published: int) -> list[quality.Rejected]:
    """Rows in quarantine that the run sees, counted where they are alike."""
    if not any(file.quarantined for file in files):
        return []
    rows = lake.read(QUARANTINE).where(F.col("ingest_seq") <= ingest_seq)
    return [quality.Rejected(*row) for row in quality.count_rejected(rows, published).collect()]
