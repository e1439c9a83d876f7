"""The comparison of a run that follows with one that measures every campaign again."""

from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq

from benchmarks.case import Case, Check, Contestant, Inputs, Workshop
from benchmarks.lookback.shop import SETTLED
from segspark.core.code import code_version

MODULE = "benchmarks.lookback.ours"
ALL, FOLLOWS = "measures all", "follows"


def prepare(size: int, workshop: Workshop) -> Inputs:
    """A lake in which the run r2 has measured 20 weekly campaigns with `size` contacts in all."""
    history = workshop.folder / f"history-{code_version()}"
    if not (history / "output").exists():
        workshop.run(MODULE, {"contacts": str(size)}, history, {"prepares": True})
    return {"history": str(history / "output")}


def check(inputs: Inputs, outputs: dict[str, Path]) -> list[Check]:
    """Every row of the tables is the same, though one measured few campaigns of them."""
    found = []
    for name, expected in ((ALL, 0), (FOLLOWS, SETTLED)):
        if name in outputs:
            settled = int(outputs[name].with_name("settled.txt").read_text())
            found.append(Check(f"{name}: {expected} campaigns are settled", settled == expected, f"{settled}"))
    if len(outputs) < 2:
        return found
    whole, kept = ({folder.parent.name: folder for folder in path.glob("*/run_id=r3")} for path in outputs.values())
    found.append(Check("both write the same tables", set(whole) == set(kept), f"{len(kept)}"))
    for name in sorted(set(whole) & set(kept)):
        first, second = _rows(whole[name]), _rows(kept[name])
        found.append(Check(f"{name} is the same", first == second and bool(first), f"{len(first):,} rows"))
    return found


def _rows(folder: Path) -> list[str]:
    table: pa.Table = pq.read_table(folder, partitioning=None)
    return sorted(map(str, table.select(sorted(table.column_names)).to_pylist()))


CASE = Case(
    name="lookback",
    title="20 weekly campaigns, of which two were open a week ago",
    unit="contacts",
    sizes={"tiny": (4_000,), "small": (400_000,), "full": (400_000, 2_000_000)},
    prepare=prepare,
    contestants=(
        Contestant(ALL, MODULE, {"prepares": False, "follows": False}),
        Contestant(FOLLOWS, MODULE, {"prepares": False, "follows": True}),
    ),
    baseline=ALL,
    check=check,
)
