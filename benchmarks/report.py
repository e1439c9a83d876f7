"""The figures as JSON and as Markdown tables."""

import json
import os
import platform
import statistics
from collections.abc import Sequence
from dataclasses import asdict
from importlib import metadata
from pathlib import Path
from typing import Any

from benchmarks.case import Case, Check, Measured
from benchmarks.runner import Options

PACKAGES = ("pyspark", "delta-spark", "duckdb", "polars", "scikit-learn", "scipy", "numpy", "implicit")
HEADS = ("size", "contestant", "CPU s", "of it start", "wall s", "peak GiB", "CPU ratio", "work ratio", "load before")


Found = tuple[Case, list[Measured], list[Check]]  # of one case at one size


def write_report(place: Path, results: Sequence[Found], options: Options) -> None:
    """Writes results.json and results.md of all that was found so far."""
    place.mkdir(parents=True, exist_ok=True)
    content = {
        "machine": machine(),
        "scale": options.scale,
        "repeat": options.repeat,
        "driver_memory": options.driver_memory,
        "conf": dict(options.conf),
        "measured": [asdict(one) for _, measured, _ in results for one in measured],
        "checks": [{"case": case.name, **asdict(check)} for case, _, checks in results for check in checks],
    }
    (place / "results.json").write_text(json.dumps(content, indent=1))
    (place / "results.md").write_text("\n\n".join([_head(options), *_tables(results)]) + "\n")


def machine() -> dict[str, Any]:
    """What the figures depend on beside the code."""
    versions = {name: metadata.version(name) for name in PACKAGES}
    return {"cores": os.cpu_count(), "system": platform.platform(), "python": platform.python_version(), **versions}


def _head(options: Options) -> str:
    known = ", ".join(f"{name} {value}" for name, value in machine().items())
    return f"Scale {options.scale}, {options.repeat} repetitions (medians), driver {options.driver_memory}; {known}."


def _tables(results: Sequence[Found]) -> list[str]:
    parts = []
    for case in {case.name: case for case, _, _ in results}.values():
        own = [(measured, checks) for other, measured, checks in results if other.name == case.name]
        rows = [_row(one, measured, case) for measured, _ in own for one in measured]
        checks = [check for _, found in own for check in found]
        told = [_told_line(one) for measured, _ in own for one in measured if one.told]
        parts += [f"## {case.title}", _table(case.unit, rows), "\n".join([*map(_check_line, checks), *told])]
    return parts


def _row(one: Measured, measured: list[Measured], case: Case) -> list[str]:
    """Ratios are against the baseline: of all CPU seconds, and of those after the start."""
    baseline = next((other for other in measured if other.contestant == case.baseline), None)
    cpu, work = _cpu(one), _work(one)
    return [
        f"{one.size:,}",
        one.contestant,
        f"{cpu:.1f}",
        f"{statistics.median(one.start_cpu_seconds):.1f}",
        f"{statistics.median(cost.wall_seconds for cost in one.costs):.1f}",
        f"{max(cost.peak_bytes for cost in one.costs) / 2**30:.1f}",
        f"{cpu / _cpu(baseline):.2f}" if baseline else "",
        f"{work / _work(baseline):.2f}" if baseline else "",
        f"{max(one.load_before):.1f}",
    ]


def _cpu(one: Measured) -> float:
    return statistics.median(cost.cpu_seconds for cost in one.costs)


def _work(one: Measured) -> float:
    pairs = zip(one.costs, one.start_cpu_seconds, strict=True)
    return statistics.median(cost.cpu_seconds - start for cost, start in pairs)


def _table(unit: str, rows: list[list[str]]) -> str:
    heads = [f"{HEADS[0]} ({unit})", *HEADS[1:]]
    return "\n".join("| " + " | ".join(cells) + " |" for cells in [heads, ["---"] * len(heads), *rows])


def _check_line(check: Check) -> str:
    return f"- {'holds' if check.passed else '**fails**'}: {check.claim}: {check.found}"


def _told_line(one: Measured) -> str:
    return f"- {one.contestant} at {one.size:,} told: {json.dumps(one.told)}"
