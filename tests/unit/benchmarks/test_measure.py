import sys

import pytest

from benchmarks.measure import MeasureError, measure

BURN = "import time\nwhile time.process_time() < 0.6: pass"
LEAVE = f"import subprocess, sys; subprocess.Popen([sys.executable, '-c', {BURN!r}])"
IGNORE = """
import os, signal, time
signal.signal(signal.SIGCHLD, signal.SIG_IGN)
if os.fork() == 0:
    while time.process_time() < 1.2: pass
    os._exit(0)
time.sleep(1)
while True:
    try:
        os.waitpid(-1, 0)
    except ChildProcessError:
        break
"""
HOLD = "import sys; block = bytearray(200_000_000); print(flush=True); sys.stdin.read()"
HOLD_TWICE = f"""
import subprocess, sys, time
child = subprocess.Popen([sys.executable, '-c', {HOLD!r}], stdin=subprocess.PIPE, stdout=subprocess.PIPE)
child.stdout.readline()
block = bytearray(200_000_000)
time.sleep(2)
"""


def python(tmp_path, code, limit=60.0):
    return measure([sys.executable, "-c", code], tmp_path, {}, limit)


def test_the_work_of_a_process_that_its_parent_left_behind_is_counted(tmp_path):
    cost = python(tmp_path, LEAVE)
    assert cost.cpu_seconds >= 0.6
    assert cost.wall_seconds >= 0.6


def test_the_work_of_a_process_whose_parent_ignores_its_end_is_counted_to_the_last_look(tmp_path):
    assert 0.8 <= python(tmp_path, IGNORE, limit=120.0).cpu_seconds <= 2.4


def test_memory_is_that_of_all_processes_together(tmp_path):
    assert python(tmp_path, HOLD_TWICE).peak_bytes > 400_000_000


def test_a_command_that_fails_names_the_file_with_its_output(tmp_path):
    with pytest.raises(MeasureError, match=r"ended with 3.*log\.txt"):
        python(tmp_path, "print('why'); raise SystemExit(3)")
    assert (tmp_path / "log.txt").read_text() == "why\n"


def test_a_command_that_takes_too_long_is_ended(tmp_path):
    with pytest.raises(MeasureError, match="did not end within 1 s"):
        python(tmp_path, "import time; time.sleep(30)", limit=1.0)
