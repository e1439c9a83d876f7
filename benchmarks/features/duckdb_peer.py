"""DuckDB: one statement over the log tables' Parquet files, on all cores."""

from datetime import date
from pathlib import Path

import duckdb

from benchmarks.contestant import Ready, Task
from benchmarks.features.columns import BOT_EVENTS_PER_DAY, WINDOWED, WINDOWS

SUMMED = (
    *("events", "impressions", "views", "clicks", "searches", "carts", "wishlists", "purchases", "night_events"),
    *("sessions", "session_seconds", "session_events", "bounces", "orders", "order_lines", "refunds"),
    *("units", "spend", "ratings", "rating_sum"),
)
WINDOWED_SUMS = ("events", "sessions", "views", "carts", "orders", "units", "spend")


def run(task: Task, ready: Ready) -> None:
    """Writes user_features."""
    connection = duckdb.connect(config={"temp_directory": str(Path(task.output).parent)})
    ready()
    for log in ("events", "orders", "ratings"):
        connection.execute(f"SET VARIABLE {log} = '{task.inputs['lake']}/{log}/*.parquet'")
    for log in ("users", "items"):
        connection.execute(f"SET VARIABLE {log} = '{task.inputs['lake']}/{log}/*.parquet'")
    connection.execute(f"SET VARIABLE as_of = DATE '{date.fromisoformat(task.inputs['as_of'])}'")
    connection.execute(f"COPY ({statement()}) TO '{task.output}' (FORMAT parquet)")


def statement() -> str:
    """The statement with the sums over windows, which SQL cannot loop over."""
    windows = []
    for days in WINDOWS:
        inside = f"FILTER (day >= getvariable('as_of') - {days})"
        windows += [f"sum({name}) {inside} AS {name}_{days}d" for name in WINDOWED_SUMS]
        windows.append(f"count(*) {inside} AS active_days_{days}d")
    text = Path(__file__).with_name("user_features.sql").read_text()
    return text.format(
        bot_events_per_day=BOT_EVENTS_PER_DAY,
        sums=", ".join(f"coalesce(sum({name}), 0) AS {name}" for name in SUMMED),
        windows=", ".join(windows),
        windows_or_zero=", ".join(f"coalesce({name}, 0) AS {name}" for name in WINDOWED),
    )
