"""The stages in order; a run, its resume and its publication."""

import tempfile
from dataclasses import dataclass, replace
from datetime import datetime, timezone

from threadpoolctl import threadpool_limits

from segspark.campaigns.stage import check_campaign
from segspark.config import Config
from segspark.core import runs
from segspark.core.contracts import PUBLICATIONS, RUN_TABLES, TABLES
from segspark.core.declared import needs
from segspark.core.errors import ConfigError, LakeError
from segspark.core.files import is_catalog
from segspark.core.lake import Lake
from segspark.core.lease import Lease, held_now, hold, this_process
from segspark.core.retention import HousekeepingConfig, Pruned, prune
from segspark.core.running import StageRunner, tagged
from segspark.core.runs import WHOLE_RUN, StageRecord
from segspark.core.session import clear_checkpoints, open_session
from segspark.core.side_by_side import InTurn, do_all
from segspark.core.stage import Run, StageContext, Tell
from segspark.core.taking_over import published
from segspark.ingest.stage import ingest
from segspark.recommend.stage import tune_als
from segspark.recommend.tuning import Tuned
from segspark.stages import STAGES

PUBLISH = "publish"
PRUNE = "prune"  # the work of who holds the lake to remove old runs
STAGE_NAMES = (*STAGES, PUBLISH)


@dataclass(frozen=True)
class RunRequest:
    """What to do: everything, or only some stages; go on with an unfinished attempt; make a new attempt.

    With `wait`, only once nobody else works on the lake.
    """

    only: tuple[str, ...] = ()
    resume: bool = False
    force: bool = False
    wait: bool = False


@dataclass(frozen=True)
class RunOutcome:
    """What was done. `published_seq` is None where nothing was published by this call."""

    run: Run
    published_seq: int | None
    was_known: bool = False  # the same work was published before; nothing was done


def open_lake(config: Config) -> Lake:
    """The lake; the session is opened, as configured, when it is needed."""
    beside = tempfile.gettempdir() if is_catalog(config.lake) else config.lake.rstrip("/")
    checkpoints = f"{beside}/_checkpoints"
    return Lake(lambda: open_session(config.spark, checkpoints), config.lake)


def run_pipeline(lake: Lake, config: Config, request: RunRequest, tell: Tell) -> RunOutcome:
    """Reads new input, then makes every run table and publishes them together.

    The same work is done once: where a run of the same configuration, input, day and code was published, nothing
    happens unless `force`, and of other runs the rows are taken over that follow from what is the same, unless `force`.
    `only` goes on with the unpublished attempt at the same work, and does those stages again.
    Raises GateError where a stage refuses the run to be published, and LakeError where somebody else works on the lake.
    """
    stages = _chosen(request.only)
    with hold(lake, this_process("run"), config.housekeeping.lease_seconds, request.wait, tell) as lease:
        return _run(lake, config, stages, request, tell, lease)


def _run(
    lake: Lake, config: Config, stages: tuple[str, ...], request: RunRequest, tell: Tell, lease: Lease
) -> RunOutcome:
    for contract in TABLES.values():
        if lake.lay_out(contract):
            tell(
                f"{contract.name}: laid out anew in files of days that follow; an earlier version had one for each day"
            )
    if "ingest" in stages:
        with tagged(lake, "ingest"):
            ingest(lake, config.sources, config.ingest, tell)
    as_of = config.as_of or runs.day_after_the_last_row(lake)
    ingest_seq = runs.highest_ingest_seq(lake)
    digest = runs.work_digest(config.digest(), ingest_seq, as_of)
    run_id, is_published = _attempt(lake, digest, request)
    previous = runs.published_when_it_began(lake, run_id)
    run = Run(run_id, as_of, ingest_seq, config.seed, previous)
    if is_published:
        tell(f"run {run_id} of the same input, configuration and code was published before: nothing to do (--force)")
        return RunOutcome(run, None, was_known=True)
    tell(f"run {run_id} as of {as_of}")
    context = StageContext(lake, run, tell)
    if "campaigns" in stages:
        check_campaign(context, config.campaigns)
    try:
        # Numbers must not depend on how many threads of a library the stages beside leave to one.
        with lake.writing(run_id), threadpool_limits(limits=1):
            _do_stages(context, config, stages, request)
    finally:
        clear_checkpoints(lake.spark)
    if PUBLISH not in stages:
        return RunOutcome(run, None)
    lease.confirm()
    with tagged(lake, PUBLISH):
        return RunOutcome(run, _publish(lake, run, config))


def _do_stages(context: StageContext, config: Config, stages: tuple[str, ...], request: RunRequest) -> None:
    """Does the stages, those side by side that do not need each other, and tells of them in order."""
    lake, run = context.lake, context.run
    done = runs.finished_stages(lake, run.run_id) if request.resume and not request.only else set()
    chosen = [name for name in STAGES if name in stages]
    earlier = None if request.force else published(lake, run.previous)
    runner = StageRunner(STAGES, config, config.digest(), context, earlier)
    in_turn = InTurn(context.tell, chosen)

    def do(name: str) -> None:
        tell = in_turn.of(name)
        if name in done:
            tell(f"{name}: done before")
        else:
            runner.do(name, f"[{STAGE_NAMES.index(name) + 1}/{len(STAGE_NAMES)}] {name}", tell)
        in_turn.end(name)

    try:
        do_all(chosen, needs(STAGES.values(), config), config.spark.stages_at_once, do)
    finally:
        in_turn.close()


def tune_recommendations(lake: Lake, config: Config, tell: Tell) -> Tuned:
    """Tries settings of ALS on the logs, with the bots of the published run, else of the newest. Writes no table.

    Its day is the run's, or the configured one where that is earlier: the days that the stage evaluate of the next run
    holds out are not looked at.
    """
    run = runs.run_to_go_by(lake, "features")
    as_of = min(run.as_of, config.as_of or run.as_of)
    tell(f"by run {run.run_id} as of {as_of}")
    context = StageContext(lake, replace(run, as_of=as_of, seed=config.seed), tell)
    try:
        return tune_als(context, config.recommend)
    finally:
        clear_checkpoints(lake.spark)


def publish_earlier(lake: Lake, run_id: str) -> int:
    """Makes a whole run what readers see, whichever it is."""
    _refuse_while_pruned(lake)
    return runs.publish_run(lake, run_id, "publish")


def roll_back(lake: Lake) -> tuple[str, int]:
    """Publishes again what was visible before the present run was first published; returns it and the act's number."""
    _refuse_while_pruned(lake)
    acts = [(row.seq, row.run_id) for row in lake.rows(PUBLICATIONS)]
    if not acts:
        raise LakeError("publications: nothing was published yet")
    present = max(acts)[1]
    first = min(seq for seq, run_id in acts if run_id == present)
    before = [act for act in acts if act[0] < first]
    if not before:
        raise LakeError(f"publications: {present} is the first run that was published; there is nothing to go back to")
    run_id = max(before)[1]
    return run_id, runs.publish_run(lake, run_id, "rollback")


def prune_lake(lake: Lake, config: HousekeepingConfig, tell: Tell) -> Pruned:
    """Removes what `prune` of core/retention.py says, while nobody else works on the lake."""
    with hold(lake, this_process(PRUNE), config.lease_seconds):
        return prune(lake, config, datetime.now(timezone.utc), tell)


def optimize_lake(lake: Lake, config: HousekeepingConfig, tell: Tell) -> int:
    """Lays out the published run's tables for look-ups and overviews; returns how many files were put together.

    Tables about users go by `user_bucket`; of the others small files become larger ones. No row changes.
    """
    with hold(lake, this_process("optimize"), config.lease_seconds):
        run_id = lake.published_run()
        if run_id is None:
            raise LakeError("publications: nothing was published yet")
        files = 0
        for contract in (each for each in RUN_TABLES if lake.exists(each)):
            tell(f"optimize: {contract.name}")
            files += lake.optimize(contract, run_id)
        return files


def _refuse_while_pruned(lake: Lake) -> None:
    """A run that is computed need not stop a rollback; one that is being removed must not become visible."""
    held = held_now(lake)
    if held is not None and held.holder.work == PRUNE:
        raise LakeError(f"lake: {held.told()} removes old runs; publish again when it is done")


def _chosen(only: tuple[str, ...]) -> tuple[str, ...]:
    unknown = [name for name in only if name not in STAGE_NAMES]
    if unknown:
        raise ConfigError(f"--only: there is no stage {unknown[0]}; the stages are {', '.join(STAGE_NAMES)}")
    return only or STAGE_NAMES


def _attempt(lake: Lake, digest: str, request: RunRequest) -> tuple[str, bool]:
    """The attempt to work on, and whether it is published already."""
    attempts = runs.attempts(lake, digest)
    gone = runs.pruned(lake)
    published = [run_id for run_id in attempts if lake.is_published(run_id)]
    there = [run_id for run_id in published if run_id not in gone]
    if there and not request.force:
        return there[-1], True
    open_attempts = [run_id for run_id in attempts if run_id not in published and run_id not in gone]
    if open_attempts and (request.resume or request.only):
        return open_attempts[-1], False
    number = 1 + max((int(run_id.rpartition("-")[2]) for run_id in attempts), default=0)
    return f"{digest}-{number}", False


def _publish(lake: Lake, run: Run, config: Config) -> int:
    done = runs.finished_stages(lake, run.run_id)
    missing = [name for name in STAGES if name not in done]
    if missing:
        raise LakeError(f"run {run.run_id} is not whole: {', '.join(missing)} not done; run them, or --resume")
    whole = StageRecord(WHOLE_RUN, "done", datetime.now(timezone.utc))
    runs.record(lake, run, config.digest(), [whole])
    return runs.publish_run(lake, run.run_id, "run")
