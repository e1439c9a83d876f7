"""What the run would do next, and what of it is another thing than before."""

from collections.abc import Sequence
from dataclasses import dataclass

from segspark.bi.config import ReportConfig
from segspark.bi.report.campaign.labels import Place, action_name, place_of, points
from segspark.bi.report.content import Row, RunRows, Scheme
from segspark.core.words import NOTHING, neutral, number, percent

BASELINE = "baseline"  # of the action none
TELLING = 0.005  # change of a share from which on it is a change
BEST_ESTIMATOR = ("doubly_robust", "snips", "ips")
NO_STRATEGY = (
    "There is no strategy yet: the stage campaigns makes one for the segments of a scheme from the actions of the"
    " strategies file."
)


@dataclass(frozen=True)
class Step:
    """One action for a segment."""

    place: Place
    action: str
    status: str
    before: str
    share: str
    lift: str
    reason: str
    is_change: bool


@dataclass(frozen=True)
class Next:
    """The next strategy."""

    told: str  # in a sentence or two
    changes: tuple[Step, ...]
    others: tuple[Step, ...]


def strategy_of(rows: RunRows, schemes: Sequence[Scheme], config: ReportConfig) -> Next:
    """The steps of segments that are large enough to be described."""
    if not rows.campaign.strategies:
        return Next(NO_STRATEGY, (), ())
    placed = [(row, place_of(row["segment_name"], row["scheme"], schemes)) for row in rows.campaign.strategies]
    shown = [(row, place) for row, place in placed if place.segment is None or not place.segment.is_small]
    ordered = sorted(shown, key=lambda pair: _in_order(*pair))
    steps = [_step(row, place, config) for row, place in ordered]
    changes = tuple(step for step in steps if step.is_change)
    acted = [row for row, _ in shown if row["status"] != BASELINE]
    told = [_counted(len(changes), len(acted)), _value(rows.campaign.values, config)]
    return Next(" ".join(filter(None, told)), changes, tuple(step for step in steps if not step.is_change))


def _step(row: Row, place: Place, config: ReportConfig) -> Step:
    is_few = 0 < row["users"] < config.min_group
    has_lift = row["lift"] is not None and not is_few and row["status"] != BASELINE
    interval = f"{points(row['lift'])} ({points(row['lift_low'])} to {points(row['lift_high'])})" if has_lift else ""
    return Step(
        place=place,
        action=action_name(row["action"]),
        status=neutral(row["status"]),
        before=percent(row["previous_share"]),
        share=NOTHING if row["status"] == BASELINE else percent(row["share"]),
        lift=interval or NOTHING,
        reason="too few users yet to be told" if is_few else neutral(row["reason"]),
        is_change=_is_change(row),
    )


def _is_change(row: Row) -> bool:
    """Whether evidence moved the action: scaled or stopped, or with another share than before."""
    if row["status"] == BASELINE:
        return False
    before = row["previous_share"]
    moved = before is not None and abs(row["share"] - before) >= TELLING
    return bool(moved or row["status"] in ("scaled", "stopped"))


def _counted(changes: int, actions: int) -> str:
    if not changes:
        return (
            "Nothing changes in the strategy: no action is scaled up or stopped before the interval of its effect"
            " excludes zero."
        )
    return (
        f"{changes} of {actions} pairs of segment and action get another share, or are scaled up or stopped; an action"
        " is scaled up only where the interval of its effect excludes zero."
    )


def _value(values: Sequence[Row], config: ReportConfig) -> str:
    """What the next strategy would have earned; nothing where nobody can tell."""
    told = {(row["policy"], row["estimator"]): row for row in values if row["contacts"] >= config.min_group}
    logged = told.get(("logged", "mean"))
    found = next((told["next", name] for name in BEST_ESTIMATOR if ("next", name) in told), None)
    if logged is None or found is None or found["value"] is None:
        return ""
    value, low, high, bearing = (number(found[name]) for name in ("value", "low", "high", "effective_contacts"))
    return (
        f"With the {number(found['contacts'])} contacts that were sent it would have earned {value} per contact"
        f" (95% interval {low} to {high}) against {number(logged['value'])} as they were sent; {bearing} of them bear"
        " on that."
    )


def _in_order(row: Row, place: Place) -> tuple[object, ...]:
    return row["scheme"], place.order, row["status"] == BASELINE, -row["share"], row["action"]
