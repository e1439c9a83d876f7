"""The ledger of runs: which work an attempt is, which of its stages are done."""

import getpass
import hashlib
from collections.abc import Iterable
from dataclasses import asdict, dataclass
from datetime import date, datetime, timedelta, timezone

from segspark.core.code import code_version
from segspark.core.contracts import EVENTS, ORDERS, PUBLICATIONS, RATINGS, RUNS, SOURCE_FILES
from segspark.core.digests import digests_of_run
from segspark.core.errors import InputError, LakeError
from segspark.core.lake import Lake
from segspark.core.ledger import newest_status
from segspark.core.stage import Run

WHOLE_RUN = "run"  # the stage name under which an attempt as a whole is recorded
PRUNED = "pruned"  # the status of a whole run whose rows were removed
TAKEN_OVER = "taken over"  # the status of a stage whose rows are those of the run that was published before
FINISHED = ("done", "skipped", TAKEN_OVER)
PIN = "pin"  # the stage name under which it is said that a run is kept


@dataclass(frozen=True)
class PartRecord:
    """What a part of a stage was made of, and what it had to say."""

    fingerprint: str
    note: str | None = None


@dataclass(frozen=True)
class StageRecord:
    """What became of one stage of one attempt."""

    stage: str
    status: str  # started, done, taken over, skipped, refused or failed
    started_at: datetime
    rows: int = 0
    note: str | None = None
    parts: tuple[PartRecord, ...] = ()


def work_digest(config_digest: str, ingest_seq: int, as_of: date) -> str:
    """The same for the same configuration, input, day and code: the run's id up to the attempt."""
    content = f"{config_digest} {ingest_seq} {as_of.isoformat()} {code_version()}"
    return "r" + hashlib.sha256(content.encode()).hexdigest()[:12]


def highest_ingest_seq(lake: Lake) -> int:
    """The number of the newest file that was read. Raises InputError where no file was."""
    numbers = [row.ingest_seq for row in lake.rows(SOURCE_FILES)]
    if not numbers:
        raise InputError("sources: no file was read yet; run the ingest stage first")
    return max(numbers)


def day_after_the_last_row(lake: Lake) -> date:
    """The default of as_of: the day after the newest event, order or rating."""
    newest = [day for log in (EVENTS, ORDERS, RATINGS) if (day := lake.extent(log).last_day) is not None]
    if not newest:
        raise InputError("sources: no event, order or rating was accepted; see the quarantine table for the reasons")
    return max(newest) + timedelta(days=1)


def attempts(lake: Lake, digest: str) -> list[str]:
    """The attempts at that work, oldest first."""
    ids = {row.run_id for row in lake.rows(RUNS) if row.run_id.startswith(f"{digest}-")}
    return sorted(ids, key=lambda run_id: int(run_id.rpartition("-")[2]))


def published_when_it_began(lake: Lake, run_id: str) -> str | None:
    """The run that was published when the attempt's first stage began, now for one that has not begun; None before any.

    So an attempt that goes on later, or does a stage again, is compared with the same run as before.
    """
    begun = min((row.started_at for row in lake.rows(RUNS) if row.run_id == run_id), default=None)
    acts = [act for act in lake.rows(PUBLICATIONS) if begun is None or act.published_at < begun]
    return max(acts, key=lambda act: act.seq).run_id if acts else None


def finished_stages(lake: Lake, run_id: str) -> set[str]:
    """The stages of an attempt that need not be done again."""
    return {row.stage for row in newest_status(lake) if row.run_id == run_id and row.status in FINISHED}


def pruned(lake: Lake) -> set[str]:
    """The runs whose rows were removed."""
    return {row.run_id for row in newest_status(lake) if row.stage == WHOLE_RUN and row.status == PRUNED}


def run_to_go_by(lake: Lake, stage: str) -> Run:
    """The published run, before any the newest attempt whose `stage` is done. Raises InputError where there is none."""
    published = lake.published_run()
    done = [row for row in newest_status(lake) if row.stage == stage and row.status in FINISHED]
    rows = [row for row in done if row.run_id == published] if published else done
    if not rows:
        raise InputError(f"runs: no run has done the stage {stage} yet; `segspark run` first")
    row = max(rows, key=lambda row: row.heartbeat_at)
    return Run(row.run_id, row.as_of, row.ingest_seq, row.seed)


def record(lake: Lake, run: Run, config_digest: str, records: Iterable[StageRecord]) -> None:
    """Adds rows to the ledger."""
    now = datetime.now(timezone.utc)
    about = {"run_id": run.run_id, "as_of": run.as_of, "ingest_seq": run.ingest_seq, "seed": run.seed}
    rows = [
        {
            **about,
            "stage": entry.stage,
            "status": entry.status,
            "started_at": entry.started_at,
            "heartbeat_at": now,
            "seconds": (now - entry.started_at).total_seconds(),
            "rows": entry.rows,
            "note": entry.note,
            "parts": [asdict(part) for part in entry.parts],
            "config_hash": config_digest,
            "code_version": code_version(),
        }
        for entry in records
    ]
    lake.append_rows(RUNS, rows)


def publish_run(lake: Lake, run_id: str, reason: str) -> int:
    """Makes a finished run what readers see; returns the number of the act. Raises LakeError where it is not whole."""
    if WHOLE_RUN not in finished_stages(lake, run_id):
        raise LakeError(f"run {run_id} is not whole; finish it with `segspark run --resume`, or see `segspark status`")
    told = digests_of_run(lake, run_id)
    counts = {table: rows for table, (rows, _) in told.items()}
    digests = {table: digest for table, (_, digest) in told.items()}
    return lake.publish(run_id, getpass.getuser(), reason, counts, digests)
