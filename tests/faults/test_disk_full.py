"""A disk that fills in the middle of a run."""

import os
import shutil
import subprocess
from pathlib import Path

import pytest

from tests.faults.conftest import acts, content, doubled, published_rows

pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(os.geteuid() != 0, reason="only root can make a small file system"),
]
PROMISE = "a full disk loses nothing, and the run goes on once there is room"
SMALL, LARGE = 1, 400  # MiB: beside what is there, and enough for all


@pytest.fixture
def small_disk(tmp_path):
    """A file system of its own, in memory, a little larger than the lake that is copied to it."""
    place = tmp_path / "disk"
    place.mkdir()
    subprocess.run(["mount", "-t", "tmpfs", "-o", f"size={LARGE}m", "tmpfs", str(place)], check=True)
    try:
        yield place
    finally:
        subprocess.run(["umount", "--lazy", str(place)], check=True)


def resize(place: Path, mebibytes: int) -> None:
    subprocess.run(["mount", "-o", f"remount,size={mebibytes}m", str(place)], check=True)


def test_a_full_disk_is_told_with_the_table_and_the_run_goes_on_after_it(before, small_disk, account):
    lake = Path(shutil.copytree(before.lake, small_disk / "lake"))
    published, rows = acts(lake), published_rows(lake)
    used = shutil.disk_usage(small_disk).used // 2**20 + 1
    resize(small_disk, used + SMALL)
    attempt = before.shop.start(lake)
    attempt.until(lambda line: False)
    is_whole = acts(lake) == published and published_rows(lake) == rows
    resize(small_disk, LARGE)
    before.shop.finish(lake, "--resume")
    same, twice = content(lake) == content(before.undisturbed), doubled(lake)
    account.enter(PROMISE, "the lake's file system is full", is_whole and same, 0, twice)
    assert attempt.process.returncode == 1
    assert any("no space left on the device while it was written to" in line for line in attempt.lines), attempt.lines
    assert any("MiB free); its earlier rows are as they were; make room" in line for line in attempt.lines)
    assert is_whole and same and twice == 0
