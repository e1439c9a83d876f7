"""Two runs, two publishers, and readers while others write."""

import shutil
import threading
from pathlib import Path

import pyarrow.dataset as ds
import pytest
from deltalake import DeltaTable

from segspark.core.errors import LakeError
from segspark.core.lake import Lake
from segspark.core.runs import publish_run
from segspark.pipeline import roll_back
from tests.faults.conftest import acts, content, doubled

TURNS = 12  # of publishing one run and the other


@pytest.mark.slow
def test_the_same_run_started_twice_is_done_once(before, tmp_path, account):
    lake = before.copy(tmp_path)
    first = before.shop.start(lake)
    assert first.until(lambda line: line.startswith("run r")), "\n".join(first.lines[-30:])
    second = before.shop.start(lake)
    waiting = before.shop.start(lake, "--wait")
    for attempt in (second, first, waiting):
        attempt.until(lambda line: False)
    told = "\n".join(second.lines)
    is_refused = second.process.returncode == 1 and f"(process {first.process.pid}, run)" in told
    has_waited = waiting.process.returncode == 0 and any("nothing to do" in line for line in waiting.lines)
    is_same, twice = content(lake) == content(before.undisturbed), doubled(lake)
    account.enter("one run at a time", "started three times at once", is_refused and has_waited and is_same, 0, twice)
    assert first.process.returncode == 0
    assert is_refused, told
    assert has_waited, "\n".join(waiting.lines)
    assert is_same and twice == 0 and len(acts(lake)) == 2


@pytest.mark.slow
def test_a_reader_never_sees_one_run_beside_another(before, tmp_path, spark, account):
    root = Path(shutil.copytree(before.undisturbed, tmp_path / "lake"))
    lake = Lake(spark, str(root))
    runs = {act["run_id"] for act in acts(root)}
    expected = {run_id: rows_of_run(root, run_id) for run_id in runs}
    seen, stop = [], threading.Event()

    def read():
        while not stop.is_set():
            run_id = acts(root)[-1]["run_id"]
            seen.append((run_id, rows_of_run(root, run_id)))

    reader = threading.Thread(target=read)
    reader.start()
    try:
        for turn in range(TURNS):
            if turn % 2 == 0:
                roll_back(lake)
            else:
                publish_run(lake, acts(root)[-2]["run_id"], "publish")
    finally:
        stop.set()
        reader.join()
    mixed = [one for one in seen if one[1] != expected[one[0]]]
    account.enter("readers see one run at a time", f"{TURNS} publications, {len(seen):,} reads", not mixed, len(mixed))
    assert len(seen) > TURNS and {run_id for run_id, _ in seen} == runs
    assert mixed == []


@pytest.mark.slow
def test_of_several_publishers_at_once_one_wins_and_the_others_say_who(before, tmp_path, spark, account):
    root = Path(shutil.copytree(before.undisturbed, tmp_path / "lake"))
    lake = Lake(spark, str(root))
    runs = [act["run_id"] for act in acts(root)]
    outcomes: list[str] = []
    start = threading.Barrier(4)

    def publish(run_id):
        start.wait()
        try:
            publish_run(lake, run_id, "publish")
            outcomes.append("published")
        except LakeError as error:
            outcomes.append(str(error))

    threads = [threading.Thread(target=publish, args=(runs[number % 2],)) for number in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    sequence = [act["seq"] for act in acts(root)]
    refused = [outcome for outcome in outcomes if "at the same moment and won" in outcome]
    won = outcomes.count("published")
    is_kept = sequence == list(range(1, 3 + won)) and won + len(refused) == 4 and won >= 1
    account.enter("of several publishers at once each wins or says who did", "4 publishers at once", is_kept)
    assert is_kept, (sequence, outcomes)


def rows_of_run(root: Path, run_id: str) -> list[int]:
    """Rows of one run in two tables, as a reader without Spark counts them."""
    tables = [DeltaTable(str(root / name)).to_pyarrow_dataset() for name in ("segments", "user_features")]
    return [table.count_rows(filter=ds.field("run_id") == run_id) for table in tables]
