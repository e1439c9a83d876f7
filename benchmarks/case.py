"""A comparison: its data, its contestants, and the proof that they found the same."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from benchmarks.measure import Cost

Inputs = dict[str, str]


@dataclass(frozen=True)
class Contestant:
    """One way to do the work. `largest` is the largest size it is asked to do, where it could not do more."""

    name: str
    module: str
    settings: Mapping[str, Any] = field(default_factory=dict)
    largest: int | None = None
    environment: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True)
class Check:
    """One thing that must be the same, and what was found."""

    claim: str
    passed: bool
    found: str


@dataclass(frozen=True)
class Workshop:
    """Where data is kept, and how to run a preparing task that needs a JVM, outside the measured ones."""

    folder: Path
    run: Callable[[str, Inputs, Path, Mapping[str, Any]], None]


@dataclass(frozen=True)
class Case:
    """`sizes` are 1x, 2x and 4x of each scale. `baseline` is the contestant that ratios are taken against."""

    name: str
    title: str
    unit: str
    sizes: Mapping[str, tuple[int, ...]]
    prepare: Callable[[int, Workshop], Inputs]
    contestants: tuple[Contestant, ...]
    baseline: str
    check: Callable[[Inputs, dict[str, Path]], list[Check]]


@dataclass(frozen=True)
class Measured:
    """One contestant at one size: a cost for each repetition, the part of it that is the start, what it told."""

    case: str
    size: int
    contestant: str
    costs: tuple[Cost, ...]
    start_cpu_seconds: tuple[float, ...]
    load_before: tuple[float, ...]  # load average of the last minute, just before each
    told: dict[str, Any]
