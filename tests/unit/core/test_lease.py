import subprocess
import sys
import time
from dataclasses import replace

import pytest

from segspark.core.contracts import RUNS
from segspark.core.errors import LakeError
from segspark.core.lease import Holder, Lease, held_now, hold, this_process
from segspark.core.runs import newest_status

SECONDS = 600.0
ME = this_process("run")
ELSEWHERE = replace(ME, user="ann", machine="shop1", boot="another machine")


def dead_process():
    """The holder that a process was which has ended."""
    code = "from segspark.core.lease import this_process; print(repr(this_process('run')))"
    told = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout
    return eval(told, {"Holder": Holder})


def test_the_second_is_told_who_the_first_is_and_gets_the_lake_after_it(lake):
    refused = pytest.raises(LakeError, match=r"lake: ann on shop1 \(process \d+, run\) since .* works on it; wait")
    with hold(lake, ELSEWHERE, SECONDS):
        assert held_now(lake).holder == ELSEWHERE
        with refused, hold(lake, ME, SECONDS):
            raise AssertionError("two hold the lake")
    assert held_now(lake) is None
    with hold(lake, ME, SECONDS):
        assert held_now(lake).holder == ME


def test_a_hold_ends_where_the_work_fails(lake):
    with pytest.raises(ZeroDivisionError), hold(lake, ELSEWHERE, SECONDS):
        raise ZeroDivisionError
    assert held_now(lake) is None


def test_of_two_who_saw_the_lake_free_at_the_same_moment_one_gets_it(lake, monkeypatch):
    first, second = Lease(lake, ELSEWHERE, SECONDS), Lease(lake, replace(ELSEWHERE, user="bob"), SECONDS)
    write = Lease._write

    def let_the_other_go_first(self, status, expected):
        monkeypatch.setattr(Lease, "_write", write)
        assert second.take()
        write(self, status, expected)

    monkeypatch.setattr(Lease, "_write", let_the_other_go_first)
    assert not first.take()
    assert held_now(lake).holder.user == "bob"


def test_a_holder_without_a_sign_of_life_for_the_stated_time_loses_the_lake_and_is_told_so(lake):
    silent = Lease(lake, ELSEWHERE, 0.0)
    assert silent.take()
    assert held_now(lake) is None
    with hold(lake, ME, SECONDS), pytest.raises(LakeError, match="another one took over; nothing was published"):
        silent.confirm()


def test_a_process_of_this_machine_that_is_gone_holds_nothing_at_once(lake):
    gone = dead_process()
    assert gone.is_gone() and not ME.is_gone() and not ELSEWHERE.is_gone()
    assert Lease(lake, gone, SECONDS).take()
    assert held_now(lake) is None


def test_a_holder_shows_signs_of_life_and_leases_are_no_stages(lake, monkeypatch):
    monkeypatch.setattr("segspark.core.lease.BEATS", SECONDS)  # a beat each second
    end = time.monotonic() + 60
    with hold(lake, ELSEWHERE, SECONDS):
        while lake.read(RUNS).count() < 3:
            assert time.monotonic() < end, "no sign of life for a minute"
            time.sleep(0.2)
    assert {row.status for row in lake.read(RUNS).collect()} == {"held", "released"}
    assert newest_status(lake) == []


def test_who_waits_gets_the_lake_once_it_is_free(lake, monkeypatch):
    monkeypatch.setattr("segspark.core.lease.LOOK_SECONDS", 0.1)
    told = []
    first = Lease(lake, ELSEWHERE, SECONDS)
    assert first.take()

    def tell(message):
        told.append(message)
        first._add("released")

    with hold(lake, ME, SECONDS, wait=True, tell=tell):
        assert held_now(lake).holder == ME
    assert len(told) == 1 and told[0].startswith("waiting for ann on shop1")
