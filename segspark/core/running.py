"""The stages of one run: computed, or taken over from an earlier run; told, and entered in the ledger."""

import contextlib
import threading
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime, timezone
from typing import Any

from segspark.core import runs
from segspark.core.access import Access, content, seen_by
from segspark.core.declared import Part, Read, Stage, writers
from segspark.core.digests import digests_of_frames
from segspark.core.errors import GateError, SegsparkError
from segspark.core.fingerprint import Inputs, fingerprint, newest_files
from segspark.core.lake import Lake
from segspark.core.ledger import newest_status
from segspark.core.runs import TAKEN_OVER, PartRecord, StageRecord
from segspark.core.stage import StageContext, StageResult, Tell
from segspark.core.taking_over import Source


@dataclass
class Outcome:
    """What became of the parts of a stage so far."""

    parts: list[PartRecord] = field(default_factory=list)
    rows: dict[str, int] = field(default_factory=dict)
    notes: list[str] = field(default_factory=list)
    taken_over: dict[str, list[str]] = field(default_factory=dict)  # tables by run
    is_computed: bool = False  # whether any part was
    skipped: str | None = None
    refused: str | None = None

    def add(self, mark: str, result: StageResult) -> None:
        """Enters what a part did."""
        self.parts.append(PartRecord(mark, sum(result.rows.values()), "; ".join(result.notes) or None))
        self.rows |= result.rows
        self.notes += result.notes
        self.skipped, self.refused = result.skipped, result.refused

    @property
    def note(self) -> str | None:
        """As the ledger has it."""
        return self.refused or self.skipped or "; ".join(self.told) or None

    @property
    def told(self) -> list[str]:
        """Where rows come from that were not computed, and what a person should look at."""
        is_whole = not self.is_computed and len(self.taken_over) == 1
        named = {run_id: "" if is_whole else f"{', '.join(tables)}: " for run_id, tables in self.taken_over.items()}
        return [*(f"{tables}taken over from run {run_id}" for run_id, tables in named.items()), *self.notes]

    @property
    def status(self) -> str:
        """As the ledger has it."""
        if self.refused:
            return "refused"
        if self.skipped:
            return "skipped"
        return "done" if self.is_computed else TAKEN_OVER


class StageRunner:
    """Does the stages of one run. Several may be done at the same time."""

    def __init__(
        self,
        stages: Mapping[str, Stage],
        config: Any,
        config_digest: str,
        context: StageContext,
        sources: Sequence[Source] = (),
    ) -> None:
        """`sources` are the runs that rows may be taken over from; without any all is computed."""
        self.stages, self.config, self.config_digest = stages, config, config_digest
        self.context = replace(context, shared=context.view)
        self.sources = sources
        self._writers = writers(stages)
        self._logs = newest_files(context.lake, context.run)
        self._marks = {stage: [part.fingerprint for part in parts] for stage, parts in self._done_before().items()}
        self._contents: dict[Read, str] = {}
        self._lock = threading.Lock()

    def do(self, name: str, place: str, tell: Tell) -> None:
        """Does a stage; tells one line of it, which begins with `place`. GateError where the stage refuses the run."""
        started_at = datetime.now(timezone.utc)
        try:
            with tagged(self.context.lake, name):
                outcome = self._do_parts(self.stages[name], replace(self.context, tell=tell))
        except BaseException as error:
            # Spark's messages may quote a user's values; only our own are written down.
            why = str(error) if isinstance(error, SegsparkError) else type(error).__name__
            self._record(StageRecord(name, "failed", started_at, note=why))
            raise
        rows, parts = sum(outcome.rows.values()), tuple(outcome.parts)
        self._record(StageRecord(name, outcome.status, started_at, rows, outcome.note, parts))
        _tell_outcome(tell, place, outcome, (datetime.now(timezone.utc) - started_at).total_seconds())
        if outcome.refused:
            raise GateError(outcome.refused)

    def _do_parts(self, stage: Stage, context: StageContext) -> Outcome:
        outcome = Outcome()
        marks = self._marks[stage.name] = []
        for place, part in enumerate(stage.parts):
            mark = fingerprint(part, self.config, context.run, self._inputs(part))
            source, result = self._take_over(stage, place, mark, context.tell)
            if source is not None:
                outcome.taken_over.setdefault(source.run_id, []).extend(result.rows)
            else:
                access = Access(stage.name, part, self.config, context.run.run_id)
                result = part.run(seen_by(access, context), *part.settings(self.config))
                outcome.is_computed = True
            marks.append(mark)
            outcome.add(mark, result)
            if result.skipped:
                break
        return outcome

    def _take_over(self, stage: Stage, place: int, mark: str, tell: Tell) -> tuple[Source | None, StageResult]:
        """The first source that has the part's rows, made of the same, and these; None where they must be computed."""
        part = stage.parts[place]
        for source in self.sources if part.can_be_taken_over else ():
            record = source.part(stage.name, place)
            if record is None or record.fingerprint != mark:
                continue
            rows = source.take(part, record, self.context.view)
            if rows is not None:
                return source, StageResult(rows, notes=(record.note,) if record.note else ())
            tell(f"{stage.name}: the rows of run {source.run_id} are no longer what they were")
        return None, StageResult()

    def _inputs(self, part: Part) -> Inputs:
        made_by = {
            table: self._marks[stage][place]
            for table, (stage, place) in self._writers.items()
            if place < len(self._marks.get(stage, ()))
        }
        return Inputs(self._logs, made_by, self._contents_of(part))

    def _contents_of(self, part: Part) -> dict[Read, str]:
        """What is in tables of which the part reads some columns; looked at once in a run."""
        wanted = {str(n): read for n, read in enumerate(part.tables(self.config)) if read.columns}
        with self._lock:
            new = {n: read for n, read in wanted.items() if read not in self._contents}
            found = digests_of_frames({n: content(read, self.context.view) for n, read in new.items()})
            self._contents |= {read: f"{found[n][0]} {found[n][1]}" for n, read in new.items()}
            return {read: self._contents[read] for read in wanted.values()}

    def _done_before(self) -> dict[str, list[PartRecord]]:
        run_id = self.context.run.run_id
        rows = [row for row in newest_status(self.context.lake) if row.run_id == run_id]
        return {
            row.stage: [PartRecord(**part) for part in row.parts or ()] for row in rows if row.status in runs.FINISHED
        }

    def _record(self, record: StageRecord) -> None:
        runs.record(self.context.lake, self.context.run, self.config_digest, [record])


@contextlib.contextmanager
def tagged(lake: Lake, name: str) -> Iterator[None]:
    """Tags all that Spark does for this thread inside, so that its page and listeners can tell stages apart."""
    spark = lake.spark.sparkContext
    spark.addJobTag(name)
    try:
        yield
    finally:
        spark.removeJobTag(name)


def _tell_outcome(tell: Tell, place: str, outcome: Outcome, seconds: float) -> None:
    """One line: what, how far, rows, seconds."""
    rows = ", ".join(f"{table} {count:,}" for table, count in outcome.rows.items())
    what = f"skipped: {outcome.skipped}" if outcome.skipped else rows
    what = f"taken over: {what}" if outcome.status == TAKEN_OVER else what
    tell("  ".join(part for part in (place, what, f"{seconds:.1f} s") if part))
    for note in outcome.told:
        tell(f"      {note}")
