"""What is kept and for how long: pinned runs, and the removal of runs, files and rejected rows that nobody needs."""

from collections.abc import Callable, Collection
from dataclasses import dataclass
from datetime import datetime, timedelta, timezone

from pydantic import BaseModel, ConfigDict, Field
from pyspark.sql import functions as F

from segspark.core.contracts import PUBLICATIONS, QUARANTINE, RUN_TABLES, RUNS, TABLES, Contract
from segspark.core.errors import LakeError
from segspark.core.lake import Lake
from segspark.core.runs import PIN, PRUNED, WHOLE_RUN, StageRecord, newest_status, record
from segspark.core.stage import Run

PINNED, UNPINNED = "pinned", "unpinned"
FOLDERS = {"_models": "", "reports": ".html"}  # beside the tables, with what follows the run's id in a name


class HousekeepingConfig(BaseModel):
    """Who may work on the lake at a time, what `prune` leaves, what is too old. None of it changes a result."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    lease_seconds: float = Field(600, ge=10)  # a run without a sign of life for so long no longer holds the lake
    keep_runs: int = Field(5, ge=1)  # published runs that `prune` leaves, the newest first, beside pinned ones
    vacuum_hours: float = Field(168, ge=0)  # files that no version needs are removed when they are older
    quarantine_days: int = Field(90, ge=0)  # rejected rows are removed when they are older
    stale_after_days: int | None = Field(7, ge=1)  # `status` warns where as_of of what is published is longer ago


@dataclass(frozen=True)
class Pruned:
    """What `prune` did."""

    removed: tuple[str, ...]  # runs
    kept: dict[str, str]  # run: why
    rejected: int  # rows of quarantine that were removed


def pin(lake: Lake, run_id: str, pinned: bool = True) -> None:
    """Keeps a whole run from `prune`, or lets it go. Raises LakeError where there is no such run or it is not whole."""
    is_whole = (F.col("stage") == WHOLE_RUN) & (F.col("status") == "done")
    rows = newest_status(lake).where((F.col("run_id") == run_id) & is_whole).collect()
    if not rows:
        raise LakeError(f"run {run_id} is unknown or not whole; see `segspark status`")
    run = Run(run_id, rows[0].as_of, rows[0].ingest_seq, rows[0].seed)
    status = PINNED if pinned else UNPINNED
    record(lake, run, rows[0].config_hash, [StageRecord(PIN, status, datetime.now(timezone.utc))])


def prune(
    lake: Lake, config: HousekeepingConfig, now: datetime, tell: Callable[[str], None] = lambda message: None
) -> Pruned:
    """Removes runs but the published, the pinned, `keep_runs` published before and those begun since the last of them.

    Removes their rows, but not those of tables that are kept for good, their models and their report, then every file
    of a table that no version since `vacuum_hours` needs, and rows of quarantine older than `quarantine_days`. Nobody
    else may write meanwhile.
    """
    there = {
        contract: _runs_in(lake, contract) for contract in RUN_TABLES if not contract.kept and lake.exists(contract)
    }
    files = _files_of_runs(lake)
    known = set().union(*there.values(), files.values())
    # Entered before it is done: from then on nobody can publish them, and what was published just before is seen here.
    _enter_removed(lake, known - runs_to_keep(lake, config.keep_runs).keys())
    kept = runs_to_keep(lake, config.keep_runs)
    removed = known - kept.keys()
    for contract, runs in there.items():
        if runs & removed:
            lake.delete_runs(contract, sorted(runs & removed))
    for name in (name for name, run_id in files.items() if run_id in removed):
        lake.remove(name)
    before = now - timedelta(days=config.quarantine_days)
    rejected = lake.delete(QUARANTINE, f"seen_at < timestamp '{before.isoformat()}'")
    for contract in (each for each in TABLES.values() if lake.exists(each)):
        tell(f"prune: files of {contract.name}")
        lake.vacuum(contract, config.vacuum_hours)
    return Pruned(tuple(sorted(removed)), kept, rejected)


def runs_to_keep(lake: Lake, published: int) -> dict[str, str]:
    """The runs that `prune` leaves, with the reason.

    An attempt that was begun since the newest publication is left, as it may be gone on with.
    """
    acts = lake.read(PUBLICATIONS).groupBy("run_id").agg(F.max("seq").alias("seq"), F.max("published_at").alias("at"))
    newest = acts.orderBy(F.desc("seq")).limit(published).collect()
    begun = newest_status(lake).groupBy("run_id").agg(F.min("started_at").alias("at"))
    if newest:
        begun = begun.where(F.col("at") > F.lit(newest[0].at))
    pins = newest_status(lake).where((F.col("stage") == PIN) & (F.col("status") == PINNED))
    return {
        **{row.run_id: "begun since the last publication" for row in begun.collect()},
        **{row.run_id: f"one of the last {published} published" for row in newest},
        **{row.run_id: "pinned" for row in pins.collect()},
        **{row.run_id: "published" for row in newest[:1]},
    }


def _enter_removed(lake: Lake, removed: Collection[str]) -> None:
    """Enters in the ledger that these runs can no longer be published, gone on with or taken for done."""
    newest = lake.read(RUNS).where(F.col("run_id").isin(*removed)).groupBy("run_id")
    rows = newest.agg(F.max_by(F.struct("as_of", "ingest_seq", "seed", "config_hash"), "heartbeat_at").alias("run"))
    for row in rows.collect():
        run = Run(row.run_id, row.run.as_of, row.run.ingest_seq, row.run.seed)
        gone = StageRecord(WHOLE_RUN, PRUNED, datetime.now(timezone.utc))
        record(lake, run, row.run.config_hash, [gone])


def _runs_in(lake: Lake, contract: Contract) -> set[str]:
    return {row.run_id for row in lake.read(contract).select("run_id").distinct().collect()}


def _files_of_runs(lake: Lake) -> dict[str, str]:
    """The models and reports beside the tables, each with its run."""
    return {
        f"{folder}/{name}": name.removesuffix(ending)
        for folder, ending in FOLDERS.items()
        for name in lake.files(folder)
    }
