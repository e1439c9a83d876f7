"""How often each promise was put to the test, and what became of it: the table of docs/reliability.md."""

from dataclasses import dataclass, field
from pathlib import Path

BEGIN, END = "<!-- begin: written by `make faults` -->", "<!-- end -->"
HEAD = ["| promise | fault | injected | survived | rows lost | rows doubled |", "|---|---|---|---|---|---|"]


@dataclass
class Entry:
    """One promise under one kind of fault."""

    promise: str
    fault: str
    injected: int = 0
    survived: int = 0
    lost: int = 0
    doubled: int = 0


@dataclass
class Account:
    """All entries of a session, in the order of their first fault."""

    entries: dict[tuple[str, str], Entry] = field(default_factory=dict)

    def enter(self, promise: str, fault: str, survived: bool, lost: int = 0, doubled: int = 0) -> None:
        """One fault that was injected."""
        entry = self.entries.setdefault((promise, fault), Entry(promise, fault))
        entry.injected += 1
        entry.survived += survived
        entry.lost += lost
        entry.doubled += doubled

    def write(self, page: Path) -> None:
        """Puts the table between the page's marks."""
        rows = [
            f"| {e.promise} | {e.fault} | {e.injected} | {e.survived} | {e.lost} | {e.doubled} |"
            for e in self.entries.values()
        ]
        head, _, rest = page.read_text(encoding="utf-8").partition(BEGIN)
        tail = rest.partition(END)[2]
        page.write_text("\n".join([head + BEGIN, "", *HEAD, *rows, "", END]) + tail, encoding="utf-8")
