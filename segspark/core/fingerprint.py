"""The fingerprint of a part of a stage: where it is the same, so are the rows."""

import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from pydantic import BaseModel

from segspark.core.code import code_of, libraries
from segspark.core.contracts import DAY_BUILDS, PUBLICATIONS, QUARANTINE, RUNS, SOURCE_FILES
from segspark.core.declared import Part, Read
from segspark.core.errors import ContractError
from segspark.core.lake import Lake
from segspark.core.stage import Run

LEDGERS = (SOURCE_FILES, QUARANTINE, DAY_BUILDS, RUNS, PUBLICATIONS)
ABSENT = "absent"  # of a table that nothing made in this run


@dataclass(frozen=True)
class Inputs:
    """What is known of the tables of a run, by name."""

    logs: Mapping[str, int]  # of log tables: the highest number of a file
    made_by: Mapping[str, str]  # of day and run tables: the fingerprint of the part that made them
    contents: Mapping[Read, str]  # of what is read of a table: digest of what it holds

    def of(self, read: Read) -> str:
        """What stands for the table in a fingerprint."""
        name = read.contract.name
        if read.contract in LEDGERS:
            raise ContractError(f"{name} is a ledger: what reads it declares it as `earlier`, or as a cache")
        if read.columns:
            return self.contents.get(read, ABSENT)
        return str(self.logs.get(name, ABSENT)) if read.contract.kind == "log" else self.made_by.get(name, ABSENT)


def fingerprint(part: Part, config: Any, run: Run, inputs: Inputs) -> str:
    """Digest of all that the part's rows depend on."""
    own = {table.name for table in part.writes}
    content = {
        "run": f"{part.run.__module__}.{part.run.__qualname__}",
        "code": code_of(part.run.__module__),
        "libraries": libraries(),
        "settings": [_plain(each) for each in part.settings(config)],
        "looks_up": _plain(part.looks_up(config)),
        "as_of": run.as_of.isoformat(),
        "seed": run.seed,
        "previous": run.previous if part.earlier else None,
        "reads": {
            f"{read.contract.name} {read.columns} {read.where}": inputs.of(read)
            for read in part.tables(config)
            if read.contract.name not in own
        },
    }
    return hashlib.sha256(json.dumps(content, sort_keys=True).encode()).hexdigest()[:16]


def newest_files(lake: Lake, run: Run) -> dict[str, int]:
    """By log table the highest number of its files that the run sees.

    Rows of a log come with a file of a new number and with nothing else; what takes rows out must bring a number, too.
    """
    found: dict[str, int] = {}
    for file in lake.rows(SOURCE_FILES):
        if file.ingest_seq <= run.ingest_seq:
            found[file.source] = max(file.ingest_seq, found.get(file.source, 0))
    return found


def _plain(value: Any) -> Any:
    """Settings as JSON knows them."""
    if isinstance(value, BaseModel):
        return value.model_dump(mode="json")
    if isinstance(value, set | frozenset):
        return sorted(value)
    return value
