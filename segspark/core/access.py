"""The lake as a part of a stage gets to see it: what it declares, and nothing else.

So no input can be overlooked where a part's rows are taken over from another run.
"""

from collections.abc import Callable, Iterable
from dataclasses import dataclass, replace
from typing import Any, cast

from pyspark.sql import DataFrame

from segspark.core.arrow_rows import Row
from segspark.core.contract import Contract
from segspark.core.declared import Part, Read
from segspark.core.errors import ContractError
from segspark.core.extent import Extent
from segspark.core.lake import Lake
from segspark.core.run_view import RunView
from segspark.core.stage import StageContext

WRITERS_OF_LAKE = (
    *("append", "append_rows", "clear_run", "copy_run", "create", "delete", "delete_runs", "lay_out"),
    *("replace_days", "replace_rows", "replace_run", "upsert"),
)
WRITERS_OF_VIEW = ("clear", "copy", "write", "write_rows")


@dataclass(frozen=True)
class Access:
    """What one part may look at and write in one run."""

    stage: str
    part: Part
    config: Any
    run_id: str

    def to_read(self, contract: Contract, run_id: str | None) -> Read:
        """What the part sees of a table, of the rows of one run or of all. Raises ContractError where it is nothing."""
        if contract.kind == "run" and run_id != self.run_id:
            declared = [Read(table) for table in self.part.earlier]
        else:
            ledgers = [table for table in self.part.earlier if table.kind != "run"]
            free = [Read(table) for table in (*self.part.writes, *self.part.caches, *ledgers)]
            declared = [*self.part.tables(self.config), *free]
        found = next((read for read in declared if read.contract == contract), None)
        if found is None:
            whose = " of other runs" if contract.kind == "run" and run_id != self.run_id else ""
            raise ContractError(f"{self.stage}: {contract.name}{whose} is read and not declared in stages.py")
        return found

    def check_write(self, contract: Contract) -> None:
        """Raises ContractError for a table that the part does not declare to write."""
        if contract not in (*self.part.writes, *self.part.caches):
            raise ContractError(f"{self.stage}: {contract.name} is written and not declared in stages.py")


class StageLake:
    """A lake to one part; what is no reading or writing of tables is the lake's own."""

    def __init__(self, lake: Lake, access: Access) -> None:
        self._lake, self._access = lake, access

    def __getattr__(self, name: str) -> Any:
        own = getattr(self._lake, name)
        return _checked(own, self._access) if name in WRITERS_OF_LAKE else own

    def read(self, contract: Contract) -> DataFrame:
        """As `Lake.read`, what is declared of it."""
        return _shown(self._access.to_read(contract, None), self._lake.read(contract))

    def read_run(self, contract: Contract, run_id: str) -> DataFrame:
        """As `Lake.read_run`, what is declared of it."""
        return _shown(self._access.to_read(contract, run_id), self._lake.read_run(contract, run_id))

    def read_runs(self, contract: Contract, run_ids: Iterable[str]) -> DataFrame:
        """As `Lake.read_runs`."""
        wanted = list(run_ids)
        for run_id in wanted:
            _whole(self._access.to_read(contract, run_id))
        return self._lake.read_runs(contract, wanted)

    def is_empty(self, contract: Contract) -> bool:
        """As `Lake.is_empty`."""
        self._access.to_read(contract, None)
        return self._lake.is_empty(contract)

    def extent(self, contract: Contract) -> Extent:
        """As `Lake.extent`."""
        _whole(self._access.to_read(contract, None))
        return self._lake.extent(contract)

    def rows(self, contract: Contract) -> list[Row]:
        """As `Lake.rows`."""
        _whole(self._access.to_read(contract, None))
        return self._lake.rows(contract)

    def rows_of_run(self, contract: Contract, run_id: str) -> list[Row]:
        """As `Lake.rows_of_run`."""
        _whole(self._access.to_read(contract, run_id))
        return self._lake.rows_of_run(contract, run_id)


class StageView:
    """A run's view to one part."""

    def __init__(self, view: RunView, access: Access) -> None:
        self._view, self._access = view, access

    def __getattr__(self, name: str) -> Any:
        own = getattr(self._view, name)
        return _checked(own, self._access) if name in WRITERS_OF_VIEW else own

    @property
    def earlier(self) -> "StageView | None":
        """As `RunView.earlier`."""
        return None if self._view.earlier is None else StageView(self._view.earlier, self._access)

    def frame(self, contract: Contract) -> DataFrame:
        """As `RunView.frame`, what is declared of it."""
        return _shown(self._access.to_read(contract, self._view.run_id), self._view.frame(contract))

    def rows(self, contract: Contract) -> list[Row]:
        """As `RunView.rows`, the columns that are declared of it."""
        read = self._access.to_read(contract, self._view.run_id)
        if read.where:
            raise ContractError(f"{contract.name} is declared in part; read it as a frame")
        rows = self._view.rows(contract)
        return [Row({name: row[name] for name in read.columns}) for row in rows] if read.columns else rows


def seen_by(access: Access, context: StageContext) -> StageContext:
    """The context that a part gets."""
    lake, view = StageLake(context.lake, access), StageView(context.view, access)
    return replace(context, lake=cast(Lake, lake), shared=cast(RunView, view))


def content(read: Read, view: RunView) -> DataFrame:
    """What is declared of a run's table."""
    return _shown(read, view.frame(read.contract))


def _shown(read: Read, frame: DataFrame) -> DataFrame:
    rows = frame if read.where is None else frame.where(read.where)
    return rows.select(*read.columns) if read.columns else rows


def _whole(read: Read) -> None:
    if read.columns:
        raise ContractError(f"{read.contract.name} is declared in part; read it as a frame")


def _checked(write: Callable[..., Any], access: Access) -> Callable[..., Any]:
    def checked(contract: Contract, *arguments: Any, **named: Any) -> Any:
        access.check_write(contract)
        return write(contract, *arguments, **named)

    return checked
