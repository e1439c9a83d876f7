"""What is kept and for how long: pinned runs, and the removal of runs, files and rejected rows that nobody needs."""

from collections.abc import Callable, Collection
from dataclasses import dataclass
from datetime import datetime, timedelta, timezone

from segspark.core.arrow_rows import Row
from segspark.core.config import HousekeepingConfig
from segspark.core.contracts import PUBLICATIONS, QUARANTINE, RUN_TABLES, RUNS, TABLES
from segspark.core.errors import LakeError
from segspark.core.lake import Lake
from segspark.core.runs import PIN, PRUNED, WHOLE_RUN, StageRecord, newest_status, record
from segspark.core.stage import Run

PINNED, UNPINNED = "pinned", "unpinned"
FOLDERS = {"_models": "", "reports": ".html"}  # beside the tables, with what follows the run's id in a name


@dataclass(frozen=True)
class Pruned:
    """What `prune` did."""

    removed: tuple[str, ...]  # runs
    kept: dict[str, str]  # run: why
    rejected: int  # rows of quarantine that were removed


def pin(lake: Lake, run_id: str, pinned: bool = True) -> None:
    """Keeps a whole run from `prune`, or lets it go. Raises LakeError where there is no such run or it is not whole."""
    rows = [row for row in newest_status(lake) if (row.run_id, row.stage, row.status) == (run_id, WHOLE_RUN, "done")]
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
    there = {contract: lake.runs_in(contract) for contract in RUN_TABLES if not contract.kept}
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
    acts: dict[str, Row] = {}
    for act in sorted(lake.rows(PUBLICATIONS), key=lambda act: act.seq):
        acts[act.run_id] = act
    newest = sorted(acts.values(), key=lambda act: -act.seq)[:published]
    status = newest_status(lake)
    begun: dict[str, datetime] = {}
    for row in status:
        begun[row.run_id] = min(begun.get(row.run_id, row.started_at), row.started_at)
    last = max((act.published_at for act in acts.values()), default=None) if newest else None
    return {
        **{run_id: "begun since the last publication" for run_id, at in begun.items() if last is None or at > last},
        **{act.run_id: f"one of the last {published} published" for act in newest},
        **{row.run_id: "pinned" for row in status if row.stage == PIN and row.status == PINNED},
        **{act.run_id: "published" for act in newest[:1]},
    }


def _enter_removed(lake: Lake, removed: Collection[str]) -> None:
    """Enters in the ledger that these runs can no longer be published, gone on with or taken for done."""
    newest = {row.run_id: row for row in sorted(lake.rows(RUNS), key=lambda row: row.heartbeat_at)}
    for row in (row for run_id, row in newest.items() if run_id in removed):
        run = Run(row.run_id, row.as_of, row.ingest_seq, row.seed)
        gone = StageRecord(WHOLE_RUN, PRUNED, datetime.now(timezone.utc))
        record(lake, run, row.config_hash, [gone])


def _files_of_runs(lake: Lake) -> dict[str, str]:
    """The models and reports beside the tables, each with its run."""
    return {
        f"{folder}/{name}": name.removesuffix(ending)
        for folder, ending in FOLDERS.items()
        for name in lake.files(folder)
    }
