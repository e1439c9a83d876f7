"""One piece of work at a time on a lake: a lease in the ledger of runs, kept alive by a heartbeat.

A lease is a row of `runs` with the stage `lease` and an id of its own; its newest row says whether it is held. It ends
when it is given back, when its holder shows no sign of life for `seconds`, or at once where the holder was a process of
this machine that is gone. A row is added only where the ledger has the rows that were looked at: of two who take the
lease at the same moment one loses.
"""

from __future__ import annotations

import contextlib
import getpass
import json
import os
import socket
import threading
import time
import uuid
from collections.abc import Callable, Iterator
from dataclasses import asdict, dataclass
from datetime import datetime, timedelta, timezone
from pathlib import Path
from typing import TYPE_CHECKING

from segspark.core.contracts import RUNS
from segspark.core.errors import LakeError
from segspark.core.reader import HasRows, Row

if TYPE_CHECKING:
    from segspark.core.lake import Lake

STAGE = "lease"
HELD, RELEASED = "held", "released"
BEATS = 5  # signs of life in the time after which a holder without any counts as dead
LOOK_SECONDS = 5.0  # between two looks of one who waits
TRIES = 20  # at writing a row while others write theirs


@dataclass(frozen=True)
class Holder:
    """The process that holds a lease."""

    user: str
    machine: str
    boot: str  # of the machine and the process's name space: tells whether a process number means the same here
    process: int
    born: str  # tells the process from a later one with its number
    work: str  # the command, for people

    def told(self) -> str:
        """Who it is, for a person."""
        return f"{self.user} on {self.machine} (process {self.process}, {self.work})"

    def is_gone(self) -> bool:
        """Whether it was a process of this machine and is no more; False where nobody here can know."""
        return self.boot == _boot() and self.boot != "" and self.born != _born(self.process)


@dataclass(frozen=True)
class Held:
    """The newest row of the newest lease that was not given back."""

    holder: Holder
    since: datetime
    ends_at: datetime  # unless there is another sign of life

    def told(self) -> str:
        """One line that names the holder."""
        return f"{self.holder.told()} since {self.since:%Y-%m-%d %H:%M} UTC"


def this_process(work: str) -> Holder:
    """The holder that this process would be."""
    process = os.getpid()
    return Holder(getpass.getuser(), socket.gethostname(), _boot(), process, _born(process), work)


def held_now(lake: HasRows) -> Held | None:
    """Who holds the lake; None where nobody does."""
    return _held(_newest(lake.rows(RUNS)))


@contextlib.contextmanager
def hold(
    lake: Lake,
    holder: Holder,
    seconds: float,
    wait: bool = False,
    tell: Callable[[str], None] = lambda message: None,
) -> Iterator[Lease]:
    """Holds the lake for what is done inside; gives it back at the end, also where that fails.

    Raises LakeError, naming who holds it, where somebody does and this one shall not `wait`.
    """
    lease = Lease(lake, holder, seconds)
    has_told = False
    while not lease.take():
        other = held_now(lake)
        if other is None:
            continue
        if not wait:
            raise LakeError(
                f"lake: {other.told()} works on it; wait for that to end (--wait), or end it: its hold then ends by"
                f" itself, at {other.ends_at:%H:%M} UTC at the latest"
            )
        if not has_told:
            tell(f"waiting for {other.told()}")
            has_told = True
        time.sleep(LOOK_SECONDS)
    with lease:
        yield lease


class Lease:
    """A holder's own lease. As a context it shows signs of life until the end."""

    def __init__(self, lake: Lake, holder: Holder, seconds: float) -> None:
        self.lake, self.holder, self.seconds = lake, holder, seconds
        self.lease_id = f"lease-{uuid.uuid4().hex[:12]}"
        self.started_at = datetime.now(timezone.utc)
        self._end = threading.Event()
        self._pulse = threading.Thread(target=self._beat, daemon=True, name="lease")

    def take(self) -> bool:
        """Whether the lease is this one's now: it is where nobody else holds one at that moment."""
        ledger = self.lake.rows(RUNS)
        if _held(_newest(ledger)) is not None:
            return False
        self._write(HELD, len(ledger))
        return self._is_newest()

    def confirm(self) -> None:
        """Raises LakeError where another took the lake over because this one showed no sign of life for too long."""
        if not self._is_newest():
            raise LakeError(
                "lake: this run showed no sign of life for so long that another one took over; nothing was published;"
                " look at `segspark status`, then `segspark run --resume`"
            )

    def __enter__(self) -> Lease:
        self._pulse.start()
        return self

    def __exit__(self, *error: object) -> None:
        self._end.set()
        self._pulse.join()
        with contextlib.suppress(Exception):  # a session that is gone already; the lease then ends by itself
            self._add(RELEASED)

    def _beat(self) -> None:
        while not self._end.wait(self.seconds / BEATS):
            with contextlib.suppress(Exception):  # a missed beat is made good by the next
                self._add(HELD)

    def _add(self, status: str) -> None:
        """A row of this lease, unless another one took over."""
        for _ in range(TRIES):
            ledger = self.lake.rows(RUNS)
            newest = _newest(ledger)
            if newest is None or newest.run_id != self.lease_id or self._write(status, len(ledger)):
                return
            time.sleep(0.2)

    def _is_newest(self) -> bool:
        newest = _newest(self.lake.rows(RUNS))
        return newest is not None and bool(newest.run_id == self.lease_id)

    def _write(self, status: str, known: int) -> bool:
        """Adds a row where the ledger still has the `known` rows; whether it did."""
        row = {
            "run_id": self.lease_id,
            "stage": STAGE,
            "status": status,
            "started_at": self.started_at,
            "heartbeat_at": datetime.now(timezone.utc),
            "note": json.dumps({"holder": asdict(self.holder), "seconds": self.seconds}),
        }
        return self.lake.append_rows(RUNS, [dict.fromkeys(RUNS.names) | row], if_count=known)


def _newest(ledger: list[Row]) -> Row | None:
    """The newest row of any lease; None before the first."""
    return max((row for row in ledger if row.stage == STAGE), key=lambda row: row.heartbeat_at, default=None)


def _held(newest: Row | None) -> Held | None:
    """What the newest row says; None where nobody holds the lake."""
    if newest is None or newest.status != HELD:
        return None
    told = json.loads(newest.note)
    holder, seconds = Holder(**told["holder"]), told["seconds"]
    held = Held(holder, newest.started_at, newest.heartbeat_at + timedelta(seconds=seconds))
    return None if holder.is_gone() or held.ends_at < datetime.now(timezone.utc) else held


def _boot() -> str:
    """The same for all processes that see the same process numbers; empty where that cannot be told."""
    with contextlib.suppress(OSError):
        boot = Path("/proc/sys/kernel/random/boot_id").read_text(encoding="ascii").strip()
        return f"{boot} {os.readlink('/proc/self/ns/pid')}"
    return ""


def _born(process: int) -> str:
    """When a process began, in ticks since the machine's start; empty where there is none, or only its exit code is."""
    with contextlib.suppress(OSError):
        fields = Path(f"/proc/{process}/stat").read_text(encoding="utf-8").rpartition(")")[2].split()
        return "" if fields[0] == "Z" else fields[19]
    return ""
