"""`kill -9` of the driver: what readers see stays, the run goes on, and the end is as if nothing had happened."""

import random
import threading
import time
from pathlib import Path

import pytest

from segspark.core.lake import Lake
from segspark.core.retention import HousekeepingConfig
from segspark.pipeline import STAGE_NAMES, prune_lake
from tests.faults.conftest import Before, acts, content, doubled, published_rows, stage_of

pytestmark = pytest.mark.slow
PROMISE = "the published run stays whole, and the run goes on to the same result"
SEED = 20240701  # of the moments
MOMENTS = 20  # drawn over the run; with those inside commits thirty
COMMITS = 10
LOOK_SECONDS = 0.001  # between two looks for a commit that is being written


@pytest.fixture
def disturbed(before, tmp_path, account):
    """A lake to kill runs on; afterwards it goes on to the end, and is held against the undisturbed one."""
    return Disturbed(before, before.copy(tmp_path), account)


class Disturbed:
    """A lake on which a run is killed again and again."""

    def __init__(self, before: Before, lake: Path, account) -> None:
        self.before, self.lake, self.account = before, lake, account
        self.acts, self.rows = acts(lake), published_rows(lake)
        self.kills = 0

    def kill(self, attempt, fault: str) -> None:
        """Kills the driver, and looks at what a reader sees."""
        attempt.kill()
        self.kills += 1
        is_whole = acts(self.lake) == self.acts and published_rows(self.lake) == self.rows
        lost = sum(abs(self.rows[table] - rows) for table, rows in published_rows(self.lake).items())
        self.account.enter(PROMISE, fault, is_whole, lost)
        assert is_whole, fault

    def end(self) -> None:
        """The run goes on to its end: the same tables as without any kill, no row twice."""
        self.before.shop.finish(self.lake, "--resume")
        twice = doubled(self.lake)
        same = content(self.lake) == content(self.before.undisturbed)
        self.account.enter("after all kills the run ends as an undisturbed one", f"{self.kills} kills", same, 0, twice)
        assert content(self.lake) == content(self.before.undisturbed)
        assert twice == 0


def test_a_driver_killed_at_every_boundary_between_stages(disturbed):
    for stage in STAGE_NAMES[:-1]:
        attempt = disturbed.before.shop.start(disturbed.lake, "--resume")
        reached = attempt.until(lambda line, stage=stage: line.startswith("[") and stage_of(line) == stage)
        assert reached, "\n".join(attempt.lines[-30:])
        disturbed.kill(attempt, "the driver killed between two stages")
    disturbed.end()


def test_a_driver_killed_at_moments_drawn_over_the_run(disturbed):
    draw = random.Random(SEED)
    timeline = disturbed.before.timeline
    moments = sorted(draw.uniform(0, timeline[STAGE_NAMES[-2]][1]) for _ in range(MOMENTS))
    print(f"seed {SEED}; moments in seconds: {', '.join(f'{moment:.1f}' for moment in moments)}")
    for moment in moments:
        stage = next(name for name, (_, end) in timeline.items() if moment <= end)
        attempt = disturbed.before.shop.start(disturbed.lake, "--resume")
        reach(attempt, stage)
        time.sleep(moment - timeline[stage][0])
        disturbed.kill(attempt, "the driver killed at a moment drawn over the run")
    disturbed.end()


def test_a_driver_killed_inside_commits(disturbed):
    draw = random.Random(SEED)
    for _ in range(COMMITS):
        attempt = disturbed.before.shop.start(disturbed.lake, "--resume")
        reader = threading.Thread(target=attempt.until, args=(lambda line: False,), daemon=True)
        reader.start()
        wait_for_commit(disturbed.lake, skip=draw.randrange(12))
        disturbed.kill(attempt, "the driver killed inside a commit")
        reader.join()
    disturbed.end()


def test_what_killed_runs_left_behind_is_removed_by_prune(before, tmp_path, spark, account):
    lake = before.copy(tmp_path)
    attempt = before.shop.start(lake, "--resume")
    reach(attempt, "features")
    wait_for_data_file(lake / "user_days")
    attempt.kill()
    before.shop.finish(lake, "--resume")
    prune_lake(Lake(spark, str(lake)), HousekeepingConfig(vacuum_hours=0), lambda line: None)
    orphans = [path for path in lake.rglob("*.parquet") if "_delta_log" not in path.parts and not is_live(lake, path)]
    promise = "files that an interrupted write left are removed by prune"
    account.enter(promise, "the driver killed while it wrote", not orphans)
    assert orphans == []
    assert content(lake) == content(before.undisturbed)


def reach(attempt, stage: str) -> None:
    """Reads until the stages before that one are done."""
    place = STAGE_NAMES.index(stage)
    if place > 0:
        is_before = f"{STAGE_NAMES[place - 1]}: done before"
        done = attempt.until(
            lambda line: (
                line.startswith(is_before) or (line.startswith("[") and STAGE_NAMES.index(stage_of(line)) >= place - 1)
            )
        )
        assert done, "\n".join(attempt.lines[-30:])


def wait_for_commit(lake: Path, skip: int) -> None:
    """Until a commit of any table is being written; `skip` such moments are let pass."""
    seen: set[str] = set()
    while True:
        for path in lake.glob("*/_delta_log/.*.tmp"):
            if str(path) not in seen:
                seen.add(str(path))
                if len(seen) > skip:
                    return
        time.sleep(LOOK_SECONDS)


def wait_for_data_file(folder: Path) -> None:
    """Until a new data file of a table is there that no commit names yet."""
    there = set(folder.rglob("*.parquet"))
    while set(folder.rglob("*.parquet")) == there:
        time.sleep(LOOK_SECONDS)


def is_live(lake: Path, path: Path) -> bool:
    """Whether a table's newest version has the file."""
    from urllib.parse import unquote

    from deltalake import DeltaTable

    table = lake / path.relative_to(lake).parts[0]
    if not (table / "_delta_log").exists():
        return True  # no table: a saved model
    return str(path) in {unquote(uri) for uri in DeltaTable(str(table)).file_uris()}
