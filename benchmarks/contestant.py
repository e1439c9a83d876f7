"""One measured process: `python -m benchmarks.contestant TASK.json` runs one function of one module and tells its cost.

A contestant is a module with `run(task, ready)`. It reads `task.inputs`, writes `task.output` as Parquet, and calls
`ready()` once, when imports are done and (for Spark) the session is up: what comes later is the work itself.
"""

import importlib
import json
import sys
from collections.abc import Callable
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

from benchmarks.measure import cpu_seconds_so_far

Ready = Callable[[], None]


@dataclass(frozen=True)
class Task:
    """What to read, where to write, and what to do it with."""

    module: str
    inputs: dict[str, str]
    output: str
    settings: dict[str, Any] = field(default_factory=dict)

    def write(self, path: Path) -> None:
        """Keeps the task as JSON."""
        path.write_text(json.dumps(asdict(self), indent=1))


@dataclass
class Clock:
    """When the work proper began."""

    cpu_seconds: float = 0.0

    def ready(self) -> None:
        """Notes what the start cost."""
        self.cpu_seconds = cpu_seconds_so_far()


def main(path: Path) -> None:
    """Does the task; writes what the start cost and what the contestant has to tell beside the task."""
    task = Task(**json.loads(path.read_text()))
    clock = Clock()
    told = importlib.import_module(task.module).run(task, clock.ready) or {}
    path.with_name("told.json").write_text(json.dumps({"start_cpu_seconds": clock.cpu_seconds, **told}))


if __name__ == "__main__":
    main(Path(sys.argv[1]))
