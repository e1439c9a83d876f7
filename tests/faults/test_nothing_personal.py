"""What a run leaves beside the rows of its tables: output, event log, Delta's logs, saved models, the report."""

import csv
import re
from collections.abc import Iterator
from pathlib import Path

import pyarrow as pa
import pytest

pytestmark = pytest.mark.slow
USER_ID = re.compile(rb"u-\d{8}")  # as the shop writes them


def test_no_id_and_no_time_of_a_user_is_in_any_file_beside_the_tables(before, account):
    personal = {row["user"].encode() for row in users(before.shop.folder)}
    times = {row["signup"].encode() for row in users(before.shop.folder) if len(row["signup"]) > 10}
    places = [*files_beside_rows(before.undisturbed), ("what the run told", "\n".join(before.output).encode())]
    names = [name for name, _ in places]
    assert any("_delta_log" in name for name in names) and any("reports" in name for name in names)
    logged = [text for name, text in places if "/events_" in name and not name.endswith(".crc")]
    assert logged and all(b"SparkListenerSQLExecutionStart" in text for text in logged)
    found = [name for name, text in places if personal & set(USER_ID.findall(text)) or any(t in text for t in times)]
    account.enter("nothing personal is in logs", f"{len(personal)} users, {len(places):,} files searched", not found)
    assert len(personal) > 100 and len(times) > 100
    assert found == []


def users(folder: Path) -> list[dict]:
    """The rows of the shop's users."""
    with (folder / "files" / "users" / "users.csv").open(encoding="utf-8") as file:
        return [row for row in csv.DictReader(file) if row["signup"] and USER_ID.fullmatch(row["user"].encode())]


def files_beside_rows(lake: Path) -> Iterator[tuple[str, bytes]]:
    """Name and content of every file but the tables' data and the shop's own: of the lake, and of the event logs."""
    logs = lake.parent / "event-logs"
    for path in sorted([*lake.rglob("*"), *logs.rglob("*")]):
        is_data = path.suffix == ".parquet" and path.is_relative_to(lake) and "_delta_log" not in path.parts
        if path.is_file() and not is_data:
            packed = path.read_bytes()
            yield str(path), pa.input_stream(str(path), compression="zstd").read() if path.suffix == ".zstd" else packed
