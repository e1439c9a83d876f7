"""The comparison of one more day with a build from nothing."""

from pathlib import Path

from benchmarks.case import Case, Check, Contestant, Inputs, Workshop
from benchmarks.features.comparison import compare, read_features
from benchmarks.shop_days import ShopSize, write_shop
from segspark.core.code import code_version

HISTORY_DAYS = 60
FEW_DAYS = 4  # of history at sizes that only prove that both ways end in the same tables
LEAST_EVENTS = 1_000_000  # for a history of 60 days
MODULE = "benchmarks.days.ours"


def prepare(size: int, workshop: Workshop) -> Inputs:
    """Files of the history and one day more, with `size` events in all, and a lake that holds the history."""
    files, history = workshop.folder / "files", workshop.folder / f"history-{code_version()}"
    days = HISTORY_DAYS if size >= LEAST_EVENTS else FEW_DAYS
    if not (history / "user_features").exists():
        write_shop(ShopSize(size, days + 1), files)
        workshop.run(MODULE, {"files": str(files), "days": str(days)}, history, {"on_history": False})
    return {"files": str(files), "days": str(days + 1), "history": str(history / "output")}


def check(inputs: Inputs, outputs: dict[str, Path]) -> list[Check]:
    """Every user's features are the same to the last digit."""
    if len(outputs) < 2:
        return []
    whole, added = (read_features(path.with_name("user_features")) for path in outputs.values())
    return [compare("one more day and the full build", added, whole, {})]


CASE = Case(
    name="days",
    title="Ingest and features: one more day on 60 days, beside 61 days from nothing",
    unit="events",
    sizes={"tiny": (20_000,), "small": (1_500_000,), "full": (7_500_000, 15_000_000, 30_000_000)},
    prepare=prepare,
    contestants=(
        Contestant("full build", MODULE, {"on_history": False}),
        Contestant("one more day", MODULE, {"on_history": True}),
    ),
    baseline="full build",
    check=check,
)
