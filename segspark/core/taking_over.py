"""Rows that are not computed again: the published run has them, made of the same by the same code."""

from dataclasses import dataclass

from segspark.core.arrow_rows import Row
from segspark.core.contracts import PUBLICATIONS
from segspark.core.declared import Part
from segspark.core.digests import Told, digests_of_run
from segspark.core.lake import Lake
from segspark.core.run_view import RunView
from segspark.core.runs import TAKEN_OVER, PartRecord, newest_status, pruned


@dataclass(frozen=True)
class Published:
    """A run that was published, as far as another may take its rows over."""

    run_id: str
    stages: dict[str, Row]  # its rows of the ledger, of stages that computed or took over
    act: Row  # its newest publication

    def part(self, stage: str, place: int) -> PartRecord | None:
        """What the ledger tells of a part of a stage; None where it tells nothing."""
        parts = self.stages[stage].parts if stage in self.stages else None
        return PartRecord(**parts[place]) if parts and place < len(parts) else None

    def take(self, part: Part, view: RunView) -> dict[str, int] | None:
        """Takes over the rows of a part; returns the rows of each table. None where they are not what was published."""
        told = {table.name: self._told(table.name) for table in part.writes}
        there = dict.fromkeys(told, (0, 0)) | digests_of_run(view.lake, self.run_id, part.writes)
        if there != told:
            return None
        return {table.name: view.copy(table, self.run_id) for table in part.writes}

    def _told(self, table: str) -> Told:
        return self.act["rows"].get(table, 0), self.act["digests"].get(table, 0)


def published(lake: Lake, run_id: str | None) -> Published | None:
    """The run with what was told of it when it was published; None where there is none, or it was removed since."""
    if run_id is None or run_id in pruned(lake):
        return None
    acts = [act for act in lake.rows(PUBLICATIONS) if act.run_id == run_id]
    rows = [row for row in newest_status(lake) if row.run_id == run_id]
    stages = {row.stage: row for row in rows if row.status in ("done", TAKEN_OVER)}
    return Published(run_id, stages, max(acts, key=lambda act: act.seq)) if acts else None
