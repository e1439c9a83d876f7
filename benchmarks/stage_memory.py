"""`python -m benchmarks.stage_memory`: the peak memory of each stage of a run on the demo shop, at 1x and 4x its users.

Each stage is a process of its own (`segspark run --only STAGE`), so that none stands on what another left behind.
"""

import sys
from dataclasses import dataclass
from pathlib import Path

import click
import yaml

from benchmarks.measure import Cost, measure
from segspark.pipeline import STAGES

REPO = Path(__file__).parents[1]
COMMAND = [sys.executable, "-m", "segspark.cli"]
LIMIT_SECONDS = 3600.0


@dataclass(frozen=True)
class Peak:
    """What one stage cost at one size."""

    users: int
    stage: str
    cost: Cost


def write_configuration(folder: Path, heap: str) -> Path:
    """The demo's configuration over a shop and a lake in that folder."""
    demo = yaml.safe_load((REPO / "conf" / "demo.yaml").read_text())
    sources = yaml.safe_load(yaml.safe_dump(demo["sources"]).replace("demo/shop", str(folder / "shop")))
    segments = {**demo.get("segments", {}), "personas": str(REPO / "conf" / "personas.yaml")}
    spark = {**demo.get("spark", {}), "driver_memory": heap}
    content = {**demo, "lake": str(folder / "lake"), "sources": sources, "segments": segments, "spark": spark}
    content["campaigns"] = {**demo.get("campaigns", {}), "strategies": str(REPO / "conf" / "strategies.yaml")}
    path = folder / "shop.yaml"
    path.write_text(yaml.safe_dump(content))
    return path


def peaks(users: int, folder: Path, heap: str) -> list[Peak]:
    """Makes a shop of that many users and does one stage after the other."""
    folder.mkdir(parents=True, exist_ok=True)
    here = {"PYTHONPATH": str(REPO)}
    if not (folder / "shop" / "truth").exists():
        shop = [*COMMAND, "shop", "--users", str(users), "--to", str(folder / "shop")]
        measure(shop, folder / "made", here, LIMIT_SECONDS)
    configuration = str(write_configuration(folder, heap))
    found = []
    for stage in STAGES:
        command = [*COMMAND, "run", "--config", configuration, "--only", stage]
        found.append(Peak(users, stage, measure(command, folder / stage, here, LIMIT_SECONDS)))
        click.echo(f"{users:,} users, {stage}: {found[-1].cost.peak_bytes / 2**30:.2f} GiB")
    return found


def table(found: list[Peak]) -> str:
    """One line per stage: GiB and CPU seconds at each size."""
    sizes = sorted({peak.users for peak in found})
    head = ["stage", *(f"{users:,} users: {what}" for users in sizes for what in ("GiB", "CPU s"))]
    lines = [f"| {' | '.join(head)} |", "|---" * len(head) + "|"]
    for stage in STAGES:
        cells = [stage]
        for cost in (peak.cost for users in sizes for peak in found if (peak.users, peak.stage) == (users, stage)):
            cells += [f"{cost.peak_bytes / 2**30:.2f}", f"{cost.cpu_seconds:.0f}"]
        lines.append(f"| {' | '.join(cells)} |")
    return "\n".join(lines)


@click.command()
@click.option("--users", default=5000, show_default=True, help="Of 1x; 4x has four times as many.")
@click.option("--heap", default="4g", show_default=True, help="The driver's heap; the Python workers come on top.")
@click.option("--folder", type=click.Path(path_type=Path), required=True, help="For shops and lakes; they stay.")
def main(users: int, heap: str, folder: Path) -> None:
    """States the peak resident memory of all processes of each stage, and its CPU seconds."""
    found = [peak for size in (users, 4 * users) for peak in peaks(size, folder.resolve() / str(size), heap)]
    click.echo(table(found))


if __name__ == "__main__":
    main()
