"""What one run has written so far, read at most once in a process."""

import threading
from collections.abc import Iterable, Mapping
from typing import Any

from pyspark.sql import DataFrame

from segspark.core.arrow_rows import Row, from_arrow, to_arrow
from segspark.core.contract import Contract, conform
from segspark.core.lake import Lake


class RunView:
    """One run's rows of its run tables.

    Rows of driver-sized tables that were written or read in this process are not read again; of the others the frame is
    made once, so that the table is looked at once. `earlier` is the run that was published when this one began.
    """

    def __init__(self, lake: Lake, run_id: str, earlier: str | None = None) -> None:
        self.lake, self.run_id = lake, run_id
        self.earlier = None if earlier is None else RunView(lake, earlier)
        self._rows: dict[str, list[Row]] = {}
        self._frames: dict[str, DataFrame] = {}
        self._lock = threading.RLock()

    def rows(self, contract: Contract) -> list[Row]:
        """The run's rows of a driver-sized table, without `run_id`."""
        with self._lock:
            if contract.name not in self._rows:
                self._rows[contract.name] = self.lake.rows_of_run(contract, self.run_id)
            return [Row(row) for row in self._rows[contract.name]]

    def frame(self, contract: Contract) -> DataFrame:
        """The run's rows of a table as a frame, without `run_id`."""
        with self._lock:
            if contract.name not in self._frames:
                self._frames[contract.name] = self.lake.read_run(contract, self.run_id)
            return self._frames[contract.name]

    def write(self, contract: Contract, frame: DataFrame) -> int:
        """Writes the run's rows in place of what it wrote before; returns how many. One Spark execution."""
        if contract.driver_sized:
            return self.write_rows(contract, from_arrow(conform(frame, contract).toArrow()))
        self._forget(contract)
        return self.lake.replace_run(contract, frame, self.run_id)

    def write_rows(self, contract: Contract, rows: Iterable[Mapping[str, Any]]) -> int:
        """Writes the run's rows of a driver-sized table in place of what it wrote before; returns how many."""
        content = list(rows)
        self._forget(contract)
        written = self.lake.replace_rows(contract, content, self.run_id)
        with self._lock:
            self._rows[contract.name] = from_arrow(to_arrow(contract, content))
        return written

    def clear(self, contract: Contract) -> int:
        """Leaves the run without rows in a table, which is made where it is not there; returns 0."""
        self._forget(contract)
        return self.lake.clear_run(contract, self.run_id)

    def copy(self, contract: Contract, from_run: str) -> int:
        """Takes another run's rows over, in place of what this run wrote before; returns how many."""
        self._forget(contract)
        return self.lake.copy_run(contract, from_run, self.run_id)

    def _forget(self, contract: Contract) -> None:
        with self._lock:
            self._rows.pop(contract.name, None)
            self._frames.pop(contract.name, None)
