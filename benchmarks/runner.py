"""Runs the contestants of a case one after another, each as its own process."""

import json
import os
import shutil
import sys
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from benchmarks.case import Case, Check, Contestant, Inputs, Measured, Workshop
from benchmarks.contestant import Task
from benchmarks.measure import Cost, MeasureError, measure

Tell = Callable[[str], None]


@dataclass(frozen=True)
class Options:
    """How to run: scale, repetitions, memory of the Spark driver, where data and outputs are kept, longest wait."""

    scale: str
    repeat: int
    driver_memory: str
    folder: Path
    limit_seconds: float
    contestants: tuple[str, ...] = ()  # only these; all where none is named
    conf: Mapping[str, str] = field(default_factory=dict)  # further settings of every Spark session


def run_case(case: Case, options: Options, tell: Tell) -> Iterator[tuple[list[Measured], list[Check]]]:
    """For each size in turn: the costs of its contestants, and the checks of their results."""
    for size in case.sizes[options.scale]:
        folder = options.folder / case.name / str(size)
        tell(f"{case.name}: {size:,} {case.unit}")
        inputs = case.prepare(size, Workshop(folder, _preparer(options)))
        measured, outputs, checks = [], {}, []
        for contestant in _invited(case, options, size):
            place = folder / contestant.name.replace(", ", "-").replace(" ", "-")
            try:
                measured.append(_measured(case, size, contestant, inputs, place, options))
            except MeasureError as error:
                checks.append(Check(f"{contestant.name} comes to an end", False, str(error)))
                continue
            outputs[contestant.name] = place / "output"
            tell(_line(measured[-1]))
        checks += case.check(inputs, outputs)
        for check in checks:
            tell(f"  {'holds' if check.passed else 'FAILS'}: {check.claim}: {check.found}")
        yield measured, checks


def _invited(case: Case, options: Options, size: int) -> list[Contestant]:
    wanted = options.contestants
    return [c for c in case.contestants if (not wanted or c.name in wanted) and size <= (c.largest or size)]


def _measured(case: Case, size: int, contestant: Contestant, inputs: Inputs, place: Path, options: Options) -> Measured:
    costs, starts, loads = [], [], []
    told: dict[str, Any] = {}
    for _ in range(options.repeat):
        loads.append(os.getloadavg()[0])
        cost, told = _run(contestant.module, inputs, place, contestant.settings, contestant.environment, options)
        costs.append(cost)
        starts.append(told.pop("start_cpu_seconds"))
    return Measured(case.name, size, contestant.name, tuple(costs), tuple(starts), tuple(loads), told)


def _preparer(options: Options) -> Callable[[str, Inputs, Path, Mapping[str, Any]], None]:
    def prepare(module: str, inputs: Inputs, place: Path, settings: Mapping[str, Any]) -> None:
        _run(module, inputs, place, settings, {}, options)

    return prepare


def _run(
    module: str,
    inputs: Inputs,
    place: Path,
    settings: Mapping[str, Any],
    environment: Mapping[str, str],
    options: Options,
) -> tuple[Cost, dict[str, Any]]:
    shutil.rmtree(place, ignore_errors=True)
    place.mkdir(parents=True)
    everything = {"driver_memory": options.driver_memory, "conf": dict(options.conf), **settings}
    Task(module, inputs, str(place / "output"), everything).write(place / "task.json")
    command = [sys.executable, "-m", "benchmarks.contestant", str(place / "task.json")]
    local = {"SPARK_LOCAL_IP": "127.0.0.1", "PYTHONPATH": str(Path(__file__).parents[1])}
    cost = measure(command, place, {**local, **environment}, options.limit_seconds)
    return cost, json.loads((place / "told.json").read_text())


def _line(measured: Measured) -> str:
    cost = measured.costs[-1]
    peak = cost.peak_bytes / 2**30
    return f"  {measured.contestant}: CPU {cost.cpu_seconds:.1f} s, wall {cost.wall_seconds:.1f} s, {peak:.1f} GiB"
