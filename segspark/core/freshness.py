"""How old what readers see is, and whether that is older than the shop wants it."""

from dataclasses import dataclass
from datetime import date, datetime

from segspark.core.contracts import PUBLICATIONS, RUNS
from segspark.core.reader import HasRows


@dataclass(frozen=True)
class Published:
    """The run that readers see."""

    run_id: str
    as_of: date  # it describes what was before this day
    published_at: datetime  # UTC, without a zone


def what_is_published(lake: HasRows) -> Published | None:
    """The newest publication; None before the first."""
    acts = lake.rows(PUBLICATIONS)
    if not acts:
        return None
    newest = max(acts, key=lambda act: act.seq)
    as_of = max(row.as_of for row in lake.rows(RUNS) if row.run_id == newest.run_id and row.as_of is not None)
    return Published(newest.run_id, as_of, newest.published_at.replace(tzinfo=None))


def told(published: Published, now: datetime) -> str:
    """The run, the last day that it knows, and how long ago that was; `now` in UTC."""
    age = _days((now.date() - published.as_of).days)
    when = f"{published.published_at:%Y-%m-%d %H:%M} UTC"
    return f"{published.run_id}, data before {published.as_of.isoformat()} ({age} ago), published {when}"


def warning(published: Published, now: datetime, stale_after_days: int | None) -> str | None:
    """One line where the data of the published run are older than allowed, with what to do; None where all is well."""
    age = (now.date() - published.as_of).days
    if stale_after_days is None or age <= stale_after_days:
        return None
    return (
        f"stale: what is published knows nothing of the last {_days(age)}, housekeeping.stale_after_days allows "
        f"{stale_after_days}; bring newer input and `segspark run`"
    )


def _days(count: int) -> str:
    return f"{count:,} day" if count == 1 else f"{count:,} days"
