"""What every stage gets and gives back."""

from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import date
from functools import cached_property

from segspark.core.lake import Lake
from segspark.core.run_view import RunView

Tell = Callable[[str], None]  # shows a line of progress


@dataclass(frozen=True)
class Run:
    """One attempt at one piece of work: same configuration, input, day and code, same `run_id` up to the attempt."""

    run_id: str
    as_of: date  # nothing on or after this day counts
    ingest_seq: int  # the highest file number that the run sees
    seed: int
    previous: str | None = None  # the run that was published when the attempt began: what this one is compared with


@dataclass(frozen=True)
class StageContext:
    """The lake, the run, and where to tell how far the work is."""

    lake: Lake
    run: Run
    tell: Tell = field(default=lambda message: None)
    shared: RunView | None = None  # the view of all stages of a run; without one, one of its own

    @cached_property
    def view(self) -> RunView:
        """What the run has written so far, and what the published run had."""
        return self.shared or RunView(self.lake, self.run.run_id, self.run.previous)


@dataclass(frozen=True)
class StageResult:
    """What a stage did. `skipped` is the reason where it could not run; `notes` are what a person should look at.

    `refused` is why the run must not be published; what was written stays for inspection.
    """

    rows: dict[str, int] = field(default_factory=dict)  # rows written, by table
    skipped: str | None = None
    notes: tuple[str, ...] = ()
    refused: str | None = None
