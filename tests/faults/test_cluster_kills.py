"""Executors and a worker of a real standalone cluster killed in the middle of stages."""

import os
import signal
import time

import pytest

from segspark.pipeline import STAGE_NAMES
from tests.faults.conftest import SECONDS_TO_RUN, content, doubled, stage_of

pytestmark = [pytest.mark.cluster, pytest.mark.slow]
PROMISE = "a run on a cluster that loses processes ends with the same result"
INTO_A_STAGE = 3.0  # seconds


def test_an_executor_killed_in_each_stage_and_a_worker_change_nothing(before, cluster, tmp_path, account):
    lake = before.copy(tmp_path)
    job = cluster.start("run", "--config", str(before.shop.configuration(lake)))
    lines, executors = [], 0
    try:
        for line in job.stdout:
            lines.append(line.rstrip())
            if not line.startswith(("run r", "[")):
                continue
            time.sleep(INTO_A_STAGE)
            executors += cluster.kill_executor()
            if line.startswith("[") and stage_of(line) == "factors":
                cluster.kill_worker()
                cluster.add_worker()
        job.wait(SECONDS_TO_RUN)
    finally:
        if job.poll() is None:
            os.killpg(job.pid, signal.SIGKILL)
    assert job.returncode == 0, "\n".join(lines[-30:])
    same, twice = content(lake) == content(before.undisturbed), doubled(lake)
    for _ in range(executors):
        account.enter(PROMISE, "an executor killed in a stage", same)
    account.enter(PROMISE, "a worker killed with its executor", same, 0, twice)
    assert same and twice == 0
    assert executors >= len(STAGE_NAMES) - 3
