"""Small sources for the tests of this room."""

from pathlib import Path

from segspark.core.contracts import QUARANTINE, SOURCE_FILES
from segspark.ingest.config import SourcesConfig

ORDER_COLUMNS = {
    "order_id": "no",
    "item_id": "item",
    "order_time": "at",
    "user_id": "who",
    "quantity": "abs(cast(qty AS int))",
    "unit_price": "price",
    "status": "if(cast(qty AS int) < 0, 'cancelled', 'paid')",
}
EVENT_COLUMNS = {"user_id": "u", "event_time": "t", "event_type": "kind", "item_id": "i"}


def orders_from(path, **changes) -> SourcesConfig:
    """Order lines from csv files with the columns no, item, at, who, qty, price."""
    return SourcesConfig(orders={"path": str(path), "columns": ORDER_COLUMNS, **changes})


def events_from(path, **changes) -> SourcesConfig:
    """Events from JSON lines with the fields u, t, kind, i."""
    return SourcesConfig(events={"path": str(path), "format": "json", "columns": EVENT_COLUMNS, **changes})


def write(path: Path, *lines: str) -> Path:
    """A text file of these lines."""
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text("".join(f"{line}\n" for line in lines))
    return path


def orders_csv(path: Path, *lines: str) -> Path:
    """A csv file of order lines, with its header."""
    return write(path, "no,item,at,who,qty,price", *lines)


def reasons(lake) -> dict[int, str]:
    """Why rows are in quarantine, by line."""
    return {row.line: row.reason for row in lake.read(QUARANTINE).collect()}


def ledger(lake) -> dict[str, tuple[int, int, int, int]]:
    """(rows in, accepted, quarantined, filtered) by the file's name."""
    return {
        row.path.rsplit("/", 1)[-1]: (row.rows_in, row.accepted, row.quarantined, row.filtered)
        for row in lake.read(SOURCE_FILES).collect()
    }
