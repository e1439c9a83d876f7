"""One lake with pinned, published, unfinished and superseded runs is pruned once; the tests look at what is left."""

from datetime import date, datetime, timedelta, timezone
from pathlib import Path

import pytest

from segspark.core.contracts import QUARANTINE, SEGMENT_CHANGES, USER_FEATURES
from segspark.core.errors import LakeError
from segspark.core.lake import Lake
from segspark.core.lease import hold, this_process
from segspark.core.retention import HousekeepingConfig, pin, prune, runs_to_keep
from segspark.core.runs import WHOLE_RUN, StageRecord, pruned, publish_run, record
from segspark.core.stage import Run
from segspark.pipeline import publish_earlier
from tests.builders import rows_of

pytestmark = pytest.mark.slow

NOW = datetime(2030, 1, 1, tzinfo=timezone.utc)
CONFIG = HousekeepingConfig(keep_runs=2, vacuum_hours=0)
DAYS = (1, 89, 91, 400)  # age of a rejected row


def begin(lake, run_id):
    run = Run(run_id, date(2024, 7, 1), 1, 7)
    features = rows_of(lake.spark, USER_FEATURES, {"user_id": f"ann of {run_id}", "as_of": run.as_of, "is_bot": False})
    lake.replace_run(USER_FEATURES, features, run_id)
    record(lake, run, "digest", [StageRecord("features", "done", datetime.now(timezone.utc))])
    return run


def publish(lake, run_id):
    run, folder = begin(lake, run_id), Path(lake.root)
    moved = rows_of(lake.spark, SEGMENT_CHANGES, {"scheme": "value", "user_id": "ann", "cause": "new"})
    lake.replace_run(SEGMENT_CHANGES, moved, run_id)
    for name in (f"_models/{run_id}/preparation", "reports"):
        (folder / name).mkdir(parents=True, exist_ok=True)
    (folder / f"reports/{run_id}.html").write_text("a report")
    record(lake, run, "digest", [StageRecord(WHOLE_RUN, "done", datetime.now(timezone.utc))])
    publish_run(lake, run_id, "run")


def runs_in(lake, contract):
    return {row.run_id for row in lake.read(contract).select("run_id").distinct().collect()}


@pytest.fixture(scope="module")
def before(spark, tmp_path_factory):
    """The lake, what is to be kept, and what prune says that it did."""
    lake = Lake(spark, str(tmp_path_factory.mktemp("retention") / "lake"))
    begin(lake, "left-1")
    for run_id in ("a-1", "b-1", "c-1", "d-1"):
        publish(lake, run_id)
    begin(lake, "e-1")
    for run_id, pinned in (("a-1", True), ("b-1", True), ("b-1", False)):
        pin(lake, run_id, pinned)
    (Path(lake.root) / USER_FEATURES.name / "run_id=d-1" / "part-00000-killed.parquet").write_bytes(b"half a file")
    seen = {"source": "orders", "file": "f", "reason": "r", "raw": "ann", "ingest_seq": 1}
    rejected = [{**seen, "line": days, "seen_at": NOW - timedelta(days=days)} for days in DAYS]
    lake.append(QUARANTINE, rows_of(spark, QUARANTINE, *rejected))
    with hold(lake, this_process("prune"), 600.0):
        kept = runs_to_keep(lake, 2)
        with pytest.raises(LakeError, match="removes old runs; publish again when it is done"):
            publish_earlier(lake, "a-1")
        return lake, kept, prune(lake, CONFIG, NOW)


def test_what_is_published_pinned_or_may_be_gone_on_with_is_left(before):
    lake, kept, done = before
    assert kept == {
        "a-1": "pinned",
        "c-1": "one of the last 2 published",
        "d-1": "published",
        "e-1": "begun since the last publication",
    }
    assert done.removed == ("b-1", "left-1") and done.kept == kept
    assert runs_in(lake, USER_FEATURES) == {"a-1", "c-1", "d-1", "e-1"}
    assert runs_in(lake, SEGMENT_CHANGES) == {"a-1", "b-1", "c-1", "d-1"}  # spared, so that history can be told
    assert {row.user_id for row in lake.read_run(USER_FEATURES, "d-1").collect()} == {"ann of d-1"}


def test_no_byte_of_a_removed_run_is_left_nor_of_a_killed_write(before):
    folder = Path(before[0].root)
    files = list((folder / USER_FEATURES.name).rglob("*.parquet"))
    assert {path.parent.name for path in files} == {f"run_id={run_id}" for run_id in ("a-1", "c-1", "d-1", "e-1")}
    assert not [path for path in files if "killed" in path.name]
    assert {path.name for path in (folder / "_models").iterdir()} == {"a-1", "c-1", "d-1"}
    assert {path.stem for path in (folder / "reports").iterdir()} == {"a-1", "c-1", "d-1"}


def test_a_removed_run_is_not_published_again_and_is_not_whole(before):
    lake = before[0]
    assert pruned(lake) == {"b-1", "left-1"}
    with pytest.raises(LakeError, match="b-1 is not whole"):
        publish_run(lake, "b-1", "publish")
    for run_id in ("e-1", "b-1", "never-1"):
        with pytest.raises(LakeError, match=f"run {run_id} is unknown or not whole; see `segspark status`"):
            pin(lake, run_id)


def test_rejected_rows_are_kept_for_the_configured_days(before):
    lake, _, done = before
    assert done.rejected == 2
    assert {row.line for row in lake.read(QUARANTINE).collect()} == {1, 89}
