"""Files for use outside, written by DuckDB on this machine."""

import shutil
from pathlib import Path

from segspark.bi.export.cells import neutralising_sql
from segspark.core.duckdb_sql import Selection
from segspark.core.errors import InputError
from segspark.core.files import WRITING, local_path


def write_selection(rows: Selection, form: str, path: str) -> int:
    """Writes the rows as `csv` or `parquet`, in their order; returns how many. They are at `path` once all are.

    Raises InputError where something is at `path` already.
    """
    local = local_path(path) or Path(path)
    if local.exists():
        raise InputError(f"--to: {path} is there already; name another place, or remove it")
    local.parent.mkdir(parents=True, exist_ok=True)
    writing = local.with_name(local.name + WRITING)
    shutil.rmtree(writing, ignore_errors=True)  # of a process that was killed
    try:
        count = _write_csv(rows, writing) if form == "csv" else _write_parquet(rows, writing)
        writing.rename(local)
    finally:
        shutil.rmtree(writing, ignore_errors=True)
        writing.unlink(missing_ok=True)
    return count


def _write_csv(rows: Selection, path: Path) -> int:
    """One file with a header (RFC 4180), no text of which a spreadsheet takes for a formula."""
    columns = rows.database.execute(f"SELECT * FROM ({rows.sql}) LIMIT 0").description or ()
    named = [('"' + name.replace('"', '""') + '"', str(kind)) for name, kind, *_ in columns]
    cells = [neutralising_sql(name) if kind == "VARCHAR" else name for name, kind in named]
    return _copy(rows, f"SELECT {', '.join(cells)} FROM ({rows.sql})", path, "FORMAT csv, HEADER true, ESCAPE '\"'")


def _write_parquet(rows: Selection, folder: Path) -> int:
    """A folder with one file, as Spark's writer makes folders."""
    folder.mkdir()
    return _copy(rows, rows.sql, folder / "part-00000.parquet", "FORMAT parquet")


def _copy(rows: Selection, query: str, path: Path, options: str) -> int:
    place = str(path).replace("'", "''")
    counted = rows.database.execute(f"COPY ({query}) TO '{place}' ({options})").fetchone()
    return int(counted[0]) if counted else 0
