"""Rows that are not computed again: an earlier run has them, made of the same by the same code."""

from collections import defaultdict
from dataclasses import dataclass
from datetime import datetime

from segspark.core.arrow_rows import Row
from segspark.core.contracts import PUBLICATIONS
from segspark.core.declared import Part
from segspark.core.digests import digests_of_run
from segspark.core.lake import Lake
from segspark.core.ledger import newest_status
from segspark.core.run_view import RunView
from segspark.core.runs import TAKEN_OVER, PartRecord, pruned
from segspark.core.stage import Run


@dataclass(frozen=True)
class Source:
    """A run that rows may be taken over from."""

    run_id: str
    stages: dict[str, Row]  # its rows of the ledger, of stages that computed or took over
    act: Row | None  # its newest publication; None for an attempt that was not published

    def part(self, stage: str, place: int) -> PartRecord | None:
        """What the ledger tells of a part of a stage; None where it tells nothing."""
        parts = self.stages[stage].parts if stage in self.stages else None
        return PartRecord(**parts[place]) if parts and place < len(parts) else None

    def take(self, part: Part, record: PartRecord, view: RunView) -> dict[str, int] | None:
        """Takes over the rows of a part; returns the rows of each table. None where they are not what they were.

        Those of a published run are held against what was told of them then, others against the ledger: they are
        trusted as `--resume` trusts them.
        """
        if self.act is not None:
            told = {t.name: (self.act["rows"].get(t.name, 0), self.act["digests"].get(t.name, 0)) for t in part.writes}
            if dict.fromkeys(told, (0, 0)) | digests_of_run(view.lake, self.run_id, part.writes) != told:
                return None
        rows = {table.name: view.copy(table, self.run_id) for table in part.writes}
        return rows if sum(rows.values()) == record.rows else None


def sources_of(lake: Lake, run: Run) -> list[Source]:
    """The run that was published when this one began, then the attempts since that were not published, newest first.

    Runs whose rows were removed are left out.
    """
    acts = {act.run_id: act for act in sorted(lake.rows(PUBLICATIONS), key=lambda act: act.seq)}
    published = acts.get(run.previous or "")
    gone, stages = pruned(lake), defaultdict[str, dict[str, Row]](dict)
    for row in newest_status(lake):
        if row.run_id not in gone and row.run_id != run.run_id:
            stages[row.run_id][row.stage] = row
    newest_first = sorted(stages, key=lambda run_id: _last_sign(stages[run_id]), reverse=True)
    attempts = [each for each in newest_first if each not in acts and _is_later(stages[each], published)]
    chosen = [*([published.run_id] if published and published.run_id in stages else []), *attempts]
    return [Source(each, _done(stages[each]), acts.get(each)) for each in chosen]


def _last_sign(rows: dict[str, Row]) -> datetime:
    return max(row.heartbeat_at for row in rows.values())


def _is_later(rows: dict[str, Row], act: Row | None) -> bool:
    """Whether the attempt began after the publication."""
    return act is None or bool(min(row.started_at for row in rows.values()) > act.published_at)


def _done(rows: dict[str, Row]) -> dict[str, Row]:
    return {stage: row for stage, row in rows.items() if row.status in ("done", TAKEN_OVER)}
