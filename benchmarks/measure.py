"""What a command costs: CPU seconds, wall seconds and peak memory of its whole tree of processes (Linux only)."""

import contextlib
import json
import os
import signal
import subprocess
import sys
import time
from dataclasses import dataclass, field
from pathlib import Path

LOOK_SECONDS = 0.25  # between two looks at memory and at the processes that nobody waits for
SIGCHLD_BIT = 1 << (signal.SIGCHLD - 1)
TICKS = os.sysconf("SC_CLK_TCK")
PAGE_BYTES = os.sysconf("SC_PAGE_SIZE")


class MeasureError(Exception):
    """The command failed or took too long: says where its output is."""


@dataclass(frozen=True)
class Cost:
    """What one process and all its descendants cost, from start to the end of the last of them."""

    cpu_seconds: float  # user and system; of a process whose parent ignores its end, up to the last look
    wall_seconds: float
    peak_bytes: int  # highest sum of resident memory seen; pages that processes share count in each


def measure(command: list[str], folder: Path, environment: dict[str, str], limit_seconds: float) -> Cost:
    """Runs a command to its end and counts it. Its output goes to `folder`/log.txt.

    Raises MeasureError where it fails, or does not end within the limit.
    """
    folder.mkdir(parents=True, exist_ok=True)
    report, log = folder / "reaper.json", folder / "log.txt"
    report.unlink(missing_ok=True)
    reaper = [sys.executable, str(Path(__file__).with_name("reaper.py")), str(report)]
    with log.open("wb") as output:
        process = subprocess.Popen([*reaper, *command], stdout=output, stderr=output, env={**os.environ, **environment})
        try:
            seen = _watch(process, limit_seconds)
        finally:
            _end_all(process)
    if not report.exists():
        raise MeasureError(f"{' '.join(command)}: did not end within {limit_seconds:.0f} s; see {log}")
    told = json.loads(report.read_text())
    if told["exit_code"] != 0:
        raise MeasureError(f"{' '.join(command)}: ended with {told['exit_code']}; see {log}")
    lost = sum(ticks for pid, ticks in seen.ignored.items() if pid not in told["waited_for"])
    return Cost(told["cpu_seconds"] + lost / TICKS, told["wall_seconds"], seen.peak_bytes)


def cpu_seconds_so_far() -> float:
    """CPU seconds of this process and of its descendants, living and waited for; to 10 ms for the latter."""
    own = time.process_time()
    below = [_stat(pid) for pid in descendants(os.getpid())]
    ticks = sum(int(value) for fields in below if fields for value in fields[11:15])
    waited_for = os.times()
    return own + ticks / TICKS + waited_for.children_user + waited_for.children_system


def descendants(root: int) -> list[int]:
    """The living processes below `root`."""
    parents = {pid: int(fields[1]) for pid in _processes() if (fields := _stat(pid))}
    found, below = [], {root}
    while below:
        below = {pid for pid, parent in parents.items() if parent in below}
        found += sorted(below)
    return found


@dataclass
class Seen:
    """What looking at a tree of processes told.

    `ignored` has the ticks, as last seen, of each process whose parent ignores its end: the kernel adds them to no
    parent's children. Spark's daemon of Python workers is such a parent.
    """

    peak_bytes: int = 0
    ignored: dict[int, int] = field(default_factory=dict)


def _watch(process: subprocess.Popen[bytes], limit_seconds: float) -> Seen:
    """Looks at what is below the process, until it ends or the limit is reached."""
    seen, end = Seen(), time.monotonic() + limit_seconds
    while process.poll() is None and time.monotonic() < end:
        below = descendants(process.pid)
        seen.peak_bytes = max(seen.peak_bytes, sum(_resident_bytes(pid) for pid in below))
        for pid in below:
            if (fields := _stat(pid)) and _ignores_children(int(fields[1])):
                seen.ignored[pid] = int(fields[11]) + int(fields[12])
        time.sleep(LOOK_SECONDS)
    return seen


def _ignores_children(pid: int) -> bool:
    try:
        lines = Path(f"/proc/{pid}/status").read_text().splitlines()
    except (FileNotFoundError, ProcessLookupError):
        return False
    masks = [int(line.split()[1], 16) for line in lines if line.startswith("SigIgn:")]
    return any(mask & SIGCHLD_BIT for mask in masks)


def _end_all(process: subprocess.Popen[bytes]) -> None:
    """Nothing is left behind, whether the limit was reached or we are being stopped."""
    if process.poll() is not None:
        return
    for pid in [process.pid, *descendants(process.pid)]:
        with contextlib.suppress(ProcessLookupError):
            os.kill(pid, signal.SIGKILL)
    process.wait()


def _processes() -> list[int]:
    return [int(name) for name in os.listdir("/proc") if name.isdigit()]


def _stat(pid: int) -> list[str]:
    """The fields of /proc/<pid>/stat after the name, from the state on; empty where the process is gone."""
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    except (FileNotFoundError, ProcessLookupError):
        return []


def _resident_bytes(pid: int) -> int:
    try:
        return int(Path(f"/proc/{pid}/statm").read_text().split()[1]) * PAGE_BYTES
    except (FileNotFoundError, ProcessLookupError, IndexError):
        return 0
