"""What the logs of Delta tables below one root say, by delta-rs: without Spark, and without Arrow."""

import threading

from deltalake import DeltaTable


class DeltaLog:
    """The tables below one root, by name. Each look is at the newest version."""

    def __init__(self, root: str) -> None:
        self.root = root
        self._opened: dict[str, DeltaTable] = {}
        self._lock = threading.RLock()

    def exists(self, name: str) -> bool:
        """Whether there is such a table."""
        return name in self._opened or DeltaTable.is_deltatable(self.place(name))

    def place(self, name: str) -> str:
        """The table's folder or URL."""
        return f"{self.root}/{name}"

    def table(self, name: str) -> DeltaTable:
        """The table at its newest version."""
        with self._lock:
            found = self._opened.get(name)
            if found is None:
                found = self._opened[name] = DeltaTable(self.place(name))
            else:
                found.update_incremental()
            return found

    def columns(self, name: str) -> list[str]:
        """The columns that the table has."""
        return [field.name for field in self.table(name).schema().fields]

    def is_plain(self, name: str) -> bool:
        """Whether the data files hold the rows as they are: no deletion vectors, no other names for columns."""
        return self.table(name).protocol().min_reader_version == 1
