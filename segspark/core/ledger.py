"""What the ledger of runs says of each stage; read with Spark and without."""

from segspark.core import lease
from segspark.core.contracts import RUNS
from segspark.core.reader import HasRows, Row


def newest_status(lake: HasRows) -> list[Row]:
    """One row per run and stage: its newest row in the ledger. Leases are no stages."""
    newest: dict[tuple[str, str], Row] = {}
    for row in sorted(lake.rows(RUNS), key=lambda row: row.heartbeat_at):
        if row.stage != lease.STAGE:
            newest[row.run_id, row.stage] = row
    return list(newest.values())
