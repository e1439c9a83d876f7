"""Runs a command and waits for every process that descends from it, also for those that their parents left behind.

A script of its own, with the standard library only: `python reaper.py REPORT.json COMMAND…`. Spark's JVM is a child of
Python that Python does not wait for; as a sub-reaper this process inherits such orphans, so that the kernel adds their
CPU seconds to this one's children. Its own cost is not counted, nor that of processes whose parent ignores their end:
the report names all that were waited for, so that the others can be told.
"""

import ctypes
import json
import os
import resource
import subprocess
import sys
import time

PR_SET_CHILD_SUBREAPER = 36


def main(report: str, command: list[str]) -> None:
    """Writes the report: exit code, pids waited for, CPU and wall seconds until the last descendant ended."""
    if ctypes.CDLL(None, use_errno=True).prctl(PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0) != 0:
        raise OSError(ctypes.get_errno(), "this process cannot become a sub-reaper")
    started = time.monotonic()
    child = subprocess.Popen(command)
    code, waited_for = _wait_for_all(child.pid)
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    told = {
        "exit_code": code,
        "waited_for": waited_for,
        "cpu_seconds": used.ru_utime + used.ru_stime,
        "wall_seconds": time.monotonic() - started,
    }
    with open(report, "w", encoding="utf-8") as file:
        json.dump(told, file)


def _wait_for_all(child: int) -> tuple[int | None, list[int]]:
    code, waited_for = None, []
    while True:
        try:
            pid, status = os.wait()
        except ChildProcessError:
            return code, waited_for
        waited_for.append(pid)
        if pid == child:
            code = os.waitstatus_to_exitcode(status)


if __name__ == "__main__":
    main(sys.argv[1], sys.argv[2:])
