"""What a stage is: functions of the run, each with the tables and settings that it reads and the tables that it writes.

Order, what may run side by side, and whether rows can be taken over from the published run follow from what is
declared; so a part gets to see only the tables that it declares (`access.py`).
"""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, TypeVar

from pydantic import BaseModel

from segspark.core.contract import Contract
from segspark.core.stage import StageResult

Model = TypeVar("Model", bound=BaseModel)


@dataclass(frozen=True)
class Read:
    """A table that a part reads. `wanted` tells by the configuration whether it does.

    Of a run table it may be some columns, and the rows that `where` holds for. What counts is then what these hold: the
    part is not computed again where they are the same as before, however the table came about.
    """

    contract: Contract
    columns: tuple[str, ...] = ()  # none: all of the table, which counts by how it came about
    where: str | None = None  # SQL condition over all columns of the table
    wanted: Callable[[Any], bool] = lambda config: True


@dataclass(frozen=True)
class Part:
    """Tables that are made together. `run` gets the context and what `settings` takes from the whole configuration.

    A part is a function of its settings, what it looks up, its code, as_of, the seed and what it reads: where all that
    is as in the published run, its rows are taken over. Not so where it reads what earlier runs left, as that changes
    with each publication, or where it writes what belongs to no run.
    """

    run: Callable[..., StageResult]
    reads: tuple[Contract | Read, ...] = ()  # rows of this run, of logs and of days
    writes: tuple[Contract, ...] = ()  # what it wrote it may read
    settings: Callable[[Any], Sequence[Any]] = lambda config: ()
    looks_up: Callable[[Any], Any] = lambda config: None  # files and secrets beside the configuration
    earlier: tuple[Contract, ...] = ()  # run tables of which it reads other runs' rows, and ledgers
    caches: tuple[Contract, ...] = ()  # tables that save work and change no result

    @property
    def can_be_taken_over(self) -> bool:
        """Whether equal fingerprints mean equal rows, and these are a run's own."""
        return bool(self.writes) and not self.earlier and all(table.kind == "run" for table in self.writes)

    def tables(self, config: Any = None) -> list[Read]:
        """What it reads with that configuration; all that it may read where none is given."""
        reads = [each if isinstance(each, Read) else Read(each) for each in self.reads]
        return [read for read in reads if config is None or read.wanted(config)]


@dataclass(frozen=True)
class Stage:
    """What has a name on the command line, a line of progress and a row in the ledger: parts, one after the other."""

    name: str
    parts: tuple[Part, ...]

    @property
    def writes(self) -> set[str]:
        """The names of the tables that its parts write."""
        return {table.name for part in self.parts for table in part.writes}

    def reads(self, config: Any = None) -> set[str]:
        """The names of the tables that its parts read, as `Part.tables`."""
        return {read.contract.name for part in self.parts for read in part.tables(config)}


def needs(stages: Iterable[Stage], config: Any = None) -> dict[str, set[str]]:
    """By stage the other stages that write what it reads, as `Part.tables`."""
    stages = list(stages)
    return {
        stage.name: {other.name for other in stages if other.writes & stage.reads(config)} - {stage.name}
        for stage in stages
    }


def in_order(stages: Iterable[Stage]) -> dict[str, Stage]:
    """The stages by name, each behind all that it may need, else as they are given. Raises ValueError for a circle."""
    left = {stage.name: stage for stage in stages}
    needed = needs(left.values())
    ordered: dict[str, Stage] = {}
    while left:
        ready = next((name for name in left if needed[name] <= ordered.keys()), None)
        if ready is None:
            raise ValueError(f"stages: each of {', '.join(left)} reads what another of them writes")
        ordered[ready] = left.pop(ready)
    return ordered


def writers(stages: Mapping[str, Stage]) -> dict[str, tuple[str, int]]:
    """By table the stage that writes it and the place of the part. Raises ValueError for a table with two writers."""
    found: dict[str, tuple[str, int]] = {}
    for stage in stages.values():
        for place, part in enumerate(stage.parts):
            for table in part.writes:
                if table.name in found:
                    raise ValueError(f"stages: {found[table.name][0]} and {stage.name} both write {table.name}")
                found[table.name] = stage.name, place
    return found


def only(model: Model, *keys: str) -> Model:
    """A configuration with these keys alone: who asks it for another fails, so no other can change what is made."""
    left = model.model_copy()
    for key in set(type(model).model_fields) - set(keys):
        del left.__dict__[key]
    return left


def without(model: Model, *keys: str) -> Model:
    """A configuration without these keys: who asks it for one of them fails."""
    return only(model, *(set(type(model).model_fields) - set(keys)))
